import { expect } from 'chai';
import { JournalConflict } from './journal.ts';
import { OperationJournals, recordOf } from './operation-journal.ts';
import type { OperationObject, OperationStore } from './operation-journal.ts';
import type { OperationRecord } from './record.ts';

const ref = { namespace: 'team-a', name: 'orders-create', uid: 'u1' };
const running: OperationRecord = {
  phase: 'Running',
  steps: [{ name: 'A', state: 'Running', attempts: 1 }],
  data: { port: '5400' },
};
const waiting: OperationRecord = { ...running, phase: 'Waiting', reason: 'PodStarting', message: 'm' };
const finished: OperationRecord = { ...running, phase: 'Succeeded' };

class Conflict extends Error {}

/** One object with versions and merge patches, like the API server. */
class Server implements OperationStore {
  object: OperationObject | undefined = { metadata: { uid: 'u1', resourceVersion: '1', generation: 3 } };
  gets = 0;
  patches: object[] = [];
  /** Runs before the next patch is looked at. */
  meanwhile: (() => void) | undefined;
  /** The next write is done, but its answer is lost. */
  losesAnswer = false;

  get(): Promise<OperationObject | undefined> {
    this.gets++;
    return Promise.resolve(structuredClone(this.object));
  }

  patchStatus(_: object, status: object, resourceVersion: string): Promise<OperationObject> {
    this.meanwhile?.();
    this.meanwhile = undefined;
    if (this.object?.metadata.resourceVersion !== resourceVersion) return Promise.reject(new Conflict());
    this.patches.push(status);
    const merged = Object.entries({ ...this.object.status, ...(JSON.parse(JSON.stringify(status)) as object) });
    this.object = {
      ...this.object,
      status: Object.fromEntries(merged.filter(([, value]) => (value as unknown) !== null)),
    };
    this.touch();
    if (!this.losesAnswer) return Promise.resolve(structuredClone(this.object));
    this.losesAnswer = false;
    return Promise.reject(new Error('socket hang up'));
  }

  isConflict(error: unknown): boolean {
    return error instanceof Conflict;
  }

  touch(uid = 'u1'): void {
    const metadata = { ...this.object?.metadata, uid };
    this.object = {
      ...this.object,
      metadata: { ...metadata, resourceVersion: `${Number(metadata.resourceVersion) + 1}` },
    };
  }
}

const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('journal in MPDOperation objects', () => {
  let server: Server;
  let journals: OperationJournals;
  beforeEach(() => {
    server = new Server();
    journals = new OperationJournals(server);
  });
  const started = async (): Promise<OperationRecord> => {
    const base = await journals.of(ref).load();
    await journals.of(ref).save(running, base);
    return running;
  };

  it('an operation without status has not begun', async () => {
    expect(await journals.of(ref).load()).to.deep.equal({ phase: 'Pending', steps: [], data: {} });
  });

  it('reads the server once, then knows what it wrote itself', async () => {
    await started();
    expect(await journals.of(ref).load()).to.deep.equal(running);
    expect(server.gets).to.equal(1);
    expect(await new OperationJournals(server).of(ref).load()).to.deep.equal(running);
  });

  it('tells which spec it speaks of', async () => {
    await started();
    expect(server.patches[0]).to.include({ observedGeneration: 3 });
  });

  it('removes what is no longer so', async () => {
    await started();
    await journals.of(ref).save(waiting, running);
    await journals.of(ref).save(running, waiting);
    expect(recordOf(server.object!)).to.deep.equal(running);
  });

  it("is not disturbed by others' edits of spec and labels", async () => {
    await started();
    server.meanwhile = () => server.touch();
    await journals.of(ref).save(waiting, running);
    expect(recordOf(server.object!)).to.deep.equal(waiting);
  });

  it('refuses to write over a status that somebody else wrote', async () => {
    await started();
    server.meanwhile = () => {
      server.object = { ...server.object!, status: finished };
      server.touch();
    };
    expect(await caught(journals.of(ref).save(waiting, running))).to.be.instanceOf(JournalConflict);
    expect(await journals.of(ref).load()).to.deep.equal(finished);
  });

  it('takes a write whose answer was lost for done when it finds it there', async () => {
    await started();
    server.losesAnswer = true;
    expect(await caught(journals.of(ref).save(waiting, running))).to.be.instanceOf(Error);
    expect(await journals.of(ref).load()).to.deep.equal(waiting);
    await journals.of(ref).save(waiting, running);
    expect(server.patches).to.have.length(2);
  });

  for (const [what, change] of [
    ['gone', (gone: Server) => (gone.object = undefined)],
    ['replaced by one of the same name', (replaced: Server) => replaced.touch('u2')],
  ] as const) {
    it(`an operation that is ${what} cannot be loaded or saved`, async () => {
      await started();
      change(server);
      expect(await caught(journals.of(ref).save(waiting, running))).to.be.instanceOf(JournalConflict);
      expect(await caught(journals.of(ref).load())).to.be.instanceOf(JournalConflict);
    });
  }

  it('gives up on an object that changes all the time', async () => {
    await started();
    const patch = server.patchStatus.bind(server);
    server.patchStatus = (...args) => {
      server.touch();
      return patch(...args);
    };
    expect(await caught(journals.of(ref).save(waiting, running))).to.be.instanceOf(JournalConflict);
  });

  it('remembers nothing of what is finished or forgotten', async () => {
    await started();
    await journals.of(ref).save(finished, running);
    await journals.of(ref).load();
    expect(server.gets).to.equal(2);
    server.object = { ...server.object!, status: running };
    await journals.of(ref).load();
    journals.forget('u1');
    await journals.of(ref).load();
    expect(server.gets).to.equal(4);
  });
});
