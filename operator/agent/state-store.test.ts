import { expect } from 'chai';
import fc from 'fast-check';
import { StateStore, type DurableFile, type Persisted } from './state-store.ts';
import { classify } from './volume.ts';

/** A file whose writer may be killed before or after the content is in place. */
class FakeFile implements DurableFile {
  content: string | undefined;
  crash: 'before' | 'after' | undefined;

  read = (): Promise<string | undefined> => Promise.resolve(this.content);
  write = (content: string): Promise<void> => {
    if (this.crash === 'before') return Promise.reject(new Error('killed'));
    this.content = content;
    return this.crash === 'after' ? Promise.reject(new Error('killed')) : Promise.resolve();
  };
}

const stamp = (epoch: number, term = 1, generation = 1) => ({ clusterUid: 'u', epoch, term, generation });

describe('state that outlives the agent', () => {
  it('begins stopped, with nothing promised', async () => {
    const store = await StateStore.open(new FakeFile());
    expect(store.now).to.deep.equal({ plan: { role: 'stopped' }, settings: {} });
  });

  it('is not guessed at when it cannot be read', async () => {
    const file = new FakeFile();
    file.content = '{"plan":';
    expect(await StateStore.open(file).catch((error: unknown) => error)).to.be.an('error');
  });

  it('keeps what a demotion wrote against a change that was decided before it', async () => {
    const store = await StateStore.open(new FakeFile());
    const demotion = store.accept(stamp(2), { demotedEpoch: 2, plan: { role: 'stopped' } });
    const promotion = store.change(({ demotedEpoch }) => {
      if (demotedEpoch === 2) throw new Error('too late');
      return { plan: { role: 'rw' }, demotedEpoch: undefined };
    });
    await demotion;
    expect(await promotion.catch((error: unknown) => error)).to.be.an('error');
    expect(store.now).to.deep.include({ demotedEpoch: 2, plan: { role: 'stopped' } });
  });

  it('never goes back, whenever the agent is killed', async () => {
    const command = fc.record({
      epoch: fc.nat(4),
      term: fc.nat(3),
      generation: fc.nat(3),
      crash: fc.constantFrom(undefined, 'before', 'after'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(command as fc.Arbitrary<Step>, { maxLength: 30 }), async steps => {
        const file = new FakeFile();
        let store = await StateStore.open(file);
        let promised: Persisted['highest'];
        for (const { crash, epoch, term, generation } of steps) {
          file.crash = crash;
          const outcome = await store.accept(stamp(epoch, term, generation)).catch(() => 'crash');
          if (outcome === undefined) promised = stamp(epoch, term, generation);
          if (outcome !== 'crash') continue;
          file.crash = undefined;
          store = await StateStore.open(file);
          expect(order(store.now.highest)).to.be.at.least(order(promised));
          promised = store.now.highest;
        }
      }),
    );
  });
});

interface Step {
  epoch: number;
  term: number;
  generation: number;
  crash: FakeFile['crash'];
}

const order = (it: Persisted['highest']): number => (it ? it.epoch * 100 + it.term * 10 + it.generation : -1);

describe('whose volume it is', () => {
  const own = { clusterUid: 'u', epoch: 3 };
  for (const [what, identity, found, state] of [
    ['nothing at all', undefined, 'blank', 'blank'],
    ['data without a name', undefined, 'initialized', 'foreign'],
    ['half an install without a name', undefined, 'partial', 'foreign'],
    ['claimed, nothing installed yet', own, 'blank', 'blank'],
    ['claimed, an install was interrupted', own, 'partial', 'partial'],
    ['our data', own, 'initialized', 'initialized'],
    ['files of others under our name', own, 'foreign', 'foreign'],
    ["another cluster's", { clusterUid: 'other', epoch: 1 }, 'initialized', 'foreign'],
    ["another cluster's, blank", { clusterUid: 'other', epoch: 1 }, 'blank', 'foreign'],
  ] as const) {
    it(`${what}: ${state}`, () => expect(classify(identity, { state: found }, 'u').state).to.equal(state));
  }
});
