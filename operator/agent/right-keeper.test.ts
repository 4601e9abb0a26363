import { expect } from 'chai';
import { AgentError } from '../agent-api/errors.ts';
import type { Incarnation } from '../ha/incarnation.ts';
import type { GroupRecord } from '../ha/record.ts';
import type { GuardOrder } from './guard.ts';
import { jsonLog } from './log.ts';
import { RightKeeper } from './right-keeper.ts';
import { FakeClock, settle } from './testing/fake-clock.ts';

const me: Incarnation = { instanceId: '1', podUid: 'p', nonce: '0000000000000001' };
const other: Incarnation = { instanceId: '2', podUid: 'p', nonce: '0000000000000002' };
const record = (change: Partial<GroupRecord> = {}): GroupRecord => ({
  clusterUid: 'u',
  epoch: 1,
  term: 1,
  generation: 1,
  members: [],
  k: 0,
  holder: me,
  ...change,
});
const bounded = { members: [{ incarnation: other, pending: false }], generation: 2 };

class Bed {
  readonly clock = new FakeClock();
  answer: GroupRecord | undefined = record();
  /** How long an answer takes; `never` fails at once, `hangs` after a second. */
  delayMs: number | 'never' | 'hangs' = 0;
  reads = 0;
  promising = false;
  promiseMs = 0;
  asked = 0;
  readonly orders: GuardOrder[] = [];
  readonly lost: string[] = [];
  readonly keeper = new RightKeeper({
    me,
    clusterUid: 'u',
    ttlMs: 3_000,
    clock: this.clock,
    log: jsonLog(() => undefined, {}),
    read: async () => {
      this.reads++;
      if (this.delayMs === 'never') throw new AgentError('RecordUnreachable', 'away');
      if (this.delayMs === 'hangs') {
        await new Promise<void>(resolve => void this.clock.after(1_000, resolve));
        throw new AgentError('RecordUnreachable', 'no answer');
      }
      const { answer, delayMs } = this;
      if (delayMs > 0) await new Promise<void>(resolve => void this.clock.after(delayMs, resolve));
      return answer;
    },
    askPromises: async ({ members }) => {
      this.asked++;
      if (this.promiseMs > 0) await new Promise<void>(resolve => void this.clock.after(this.promiseMs, resolve));
      return this.promising ? members : [];
    },
    guardHeard: () => Promise.resolve(),
    tellGuard: order => void this.orders.push(order),
    onLost: reason => void this.lost.push(reason),
  });
}

const codeOf = (call: Promise<unknown>): Promise<string | undefined> =>
  call.then(
    () => undefined,
    (error: unknown) => (error as AgentError).code,
  );

describe('right of the agent', () => {
  it('with E empty: no end, no reads, the guard knows', async () => {
    const bed = new Bed();
    await bed.keeper.acquire();
    await bed.clock.advance(3_600_000);
    expect(bed.keeper.isHeld).to.equal(true);
    expect(bed).to.deep.include({ reads: 1, orders: ['unbounded'], lost: [] });
  });

  for (const [what, answer] of [
    ['nobody', record({ holder: undefined })],
    ['another incarnation', record({ holder: { ...me, nonce: '00000000000000ff' } })],
    ['another cluster', record({ clusterUid: 'other' })],
    ['no record', undefined],
  ] as const) {
    it(`does not begin when the record names ${what}`, async () => {
      const bed = new Bed();
      bed.answer = answer;
      expect(await codeOf(bed.keeper.acquire())).to.equal('NoRight');
      expect(bed.keeper.isHeld).to.equal(false);
    });
  }

  it('does not begin when the record cannot be read', async () => {
    const bed = new Bed();
    bed.delayMs = 'never';
    expect(await codeOf(bed.keeper.acquire())).to.equal('RecordUnreachable');
  });

  it('lasts from the sending of the read, and is renewed twice a second', async () => {
    const bed = new Bed();
    bed.answer = record(bounded);
    bed.delayMs = 200;
    const acquired = bed.keeper.acquire();
    await bed.clock.advance(200);
    await acquired;
    expect(bed.orders).to.deep.equal([3_000]);
    await bed.clock.advance(700);
    expect(bed.orders).to.deep.equal([3_000, 3_700]);
    await bed.clock.advance(60_000);
    expect(bed.lost).to.deep.equal([]);
  });

  it('is lost when reads fail for its whole time, and only then', async () => {
    const bed = new Bed();
    bed.answer = record(bounded);
    await bed.keeper.acquire();
    bed.delayMs = 'never';
    await bed.clock.advance(2_999);
    expect(bed.lost).to.deep.equal([]);
    await bed.clock.advance(1);
    expect(bed.lost).to.have.length(1);
    await bed.clock.advance(60_000);
    expect(bed.lost).to.have.length(1);
  });

  it('goes on by promises of all members while nothing else answers, and no longer', async () => {
    const bed = new Bed();
    bed.answer = record(bounded);
    await bed.keeper.acquire();
    bed.delayMs = 'never';
    bed.promising = true;
    await bed.clock.advance(60_000);
    expect(bed.lost).to.deep.equal([]);
    expect(bed.keeper.state.right?.kind).to.equal('promises');
    bed.promising = false;
    await bed.clock.advance(3_000);
    expect(bed.lost).to.have.length(1);
  });

  it('goes on by promises that take their time, also while reads hang for theirs', async () => {
    const bed = new Bed();
    bed.answer = record(bounded);
    await bed.keeper.acquire();
    bed.delayMs = 'hangs';
    bed.promising = true;
    bed.promiseMs = 650;
    bed.keeper.answered({ clusterUid: 'u', epoch: 1, generation: 2 }, bed.clock.ms);
    await bed.clock.advance(60_000);
    expect(bed.lost).to.deep.equal([]);
  });

  it('while a cluster manager answers, nobody else is asked', async () => {
    const bed = new Bed();
    bed.answer = record(bounded);
    await bed.keeper.acquire();
    const { reads } = bed;
    const stamp = { clusterUid: 'u', epoch: 1, generation: 2 };
    for (let i = 0; i < 20; i++) {
      bed.keeper.answered(stamp, bed.clock.ms - 20);
      await bed.clock.advance(510);
    }
    expect(bed).to.deep.include({ reads, asked: 0, lost: [] });
    expect(bed.keeper.state.right).to.deep.equal({ kind: 'answer', until: bed.clock.ms - 510 - 20 + 3_000 });
    expect(bed.orders.at(-1)).to.equal(bed.keeper.state.right?.until);
  });

  it('reads the record once when a beat tells of a newer (E, k)', async () => {
    const bed = new Bed();
    await bed.keeper.acquire();
    bed.answer = record(bounded);
    bed.keeper.heard({ clusterUid: 'u', epoch: 1, generation: 2 });
    await settle();
    expect(bed).to.deep.include({ reads: 2, orders: ['unbounded', 3_000] });
  });

  it('gets an end by the command that brings members, before the record is read', async () => {
    const bed = new Bed();
    await bed.keeper.acquire();
    bed.keeper.commanded({ epoch: 1, generation: 2, members: [other] });
    expect(bed.orders).to.deep.equal(['unbounded', 3_000]);
  });

  it('is over soon after a beat tells of a revoke, unless the command to stop comes', async () => {
    for (const comes of [false, true]) {
      const bed = new Bed();
      await bed.keeper.acquire();
      bed.keeper.heard({ clusterUid: 'u', epoch: 2, generation: 1 });
      expect(bed.keeper.isHeld).to.equal(false);
      await bed.clock.advance(400);
      if (comes) bed.keeper.yielded(2);
      await bed.clock.advance(60_000);
      expect(bed.lost).to.have.length(comes ? 0 : 1);
    }
  });

  it('is lost at once when a read shows another holder', async () => {
    const bed = new Bed();
    bed.answer = record(bounded);
    await bed.keeper.acquire();
    bed.answer = record({ ...bounded, epoch: 2, holder: other });
    await bed.clock.advance(500);
    expect(bed.lost).to.have.length(1);
  });

  it('is lost at once when somebody tells of a revoke', async () => {
    const bed = new Bed();
    await bed.keeper.acquire();
    bed.keeper.revoked(1);
    expect(bed.lost).to.deep.equal([]);
    bed.keeper.revoked(2);
    expect(bed.lost).to.have.length(1);
    expect(await codeOf(bed.keeper.acquire())).to.equal('NoRight');
  });

  it('yielded to the command that stops the engine: over, and the stop has its own time', async () => {
    const bed = new Bed();
    await bed.keeper.acquire();
    bed.keeper.yielded(2);
    expect(bed.keeper.isHeld).to.be.false;
    expect(bed.lost).to.deep.equal([]);
    expect(await codeOf(bed.keeper.acquire())).to.equal('NoRight');
  });

  it('gets an end when E stops being empty', async () => {
    const bed = new Bed();
    await bed.keeper.acquire();
    bed.answer = record(bounded);
    await bed.keeper.renew();
    expect(bed.orders).to.deep.equal(['unbounded', 3_000]);
  });

  it('released: nothing is watched any more', async () => {
    const bed = new Bed();
    bed.answer = record(bounded);
    await bed.keeper.acquire();
    bed.keeper.release();
    const { reads } = bed;
    await bed.clock.advance(60_000);
    await settle();
    expect(bed.orders.at(-1)).to.equal('none');
    expect(bed).to.deep.include({ reads, lost: [] });
  });
});
