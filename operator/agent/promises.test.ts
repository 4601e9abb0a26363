import { expect } from 'chai';
import { AgentError } from '../agent-api/errors.ts';
import { formatIncarnation, type Incarnation } from '../ha/incarnation.ts';
import type { GroupRecord } from '../ha/record.ts';
import { jsonLog } from './log.ts';
import { isOf, Promises } from './promises.ts';
import { FakeClock } from './testing/fake-clock.ts';

const incarnation = (id: string): Incarnation => ({ instanceId: id, podUid: `p-${id}`, nonce: '0000000000000001' });
const [rw, me, other] = [incarnation('1'), incarnation('2'), incarnation('3')];
const record = (change: Partial<GroupRecord> = {}): GroupRecord => ({
  ...{ clusterUid: 'u', epoch: 1, term: 1, generation: 1, members: [], k: 0, holder: rw },
  ...change,
});

class Bed {
  readonly clock = new FakeClock();
  record: GroupRecord | undefined = record();
  reads = 0;
  isLeaderHeard = false;
  /** Who answers what; nobody else is reached. */
  answers: Record<string, boolean> = {};
  readonly promises = new Promises({
    ...{ clusterUid: 'u', me, epoch: 1, preparedEpoch: 0, ttlMs: 3_000 },
    read: () => {
      this.reads++;
      return Promise.resolve(this.record);
    },
    isLeaderHeard: () => this.isLeaderHeard,
    clientOf: peer => ({
      promises: () => {
        const promised = this.answers[peer.incarnation];
        return promised === undefined
          ? Promise.reject(new AgentError('Unreachable', 'away'))
          : Promise.resolve({ promised });
      },
    }),
    clock: this.clock,
    log: jsonLog(() => undefined, {}),
  });

  ask(change: object = {}): boolean {
    const body = { clusterUid: 'u', epoch: 1, generation: 1, from: formatIncarnation(rw), ttlMs: 3_000, ...change };
    return this.promises.asked(body).promised;
  }
}

describe('promises of a member', () => {
  it('are given to the RW of the newest epoch, and remembered', async () => {
    const bed = new Bed();
    await bed.clock.advance(5_000);
    expect(bed.promises.ageMs).to.equal(5_000);
    expect(bed.ask()).to.equal(true);
    expect(bed.promises.ageMs).to.equal(0);
  });

  it('are refused once it prepared for another epoch', () => {
    const bed = new Bed();
    bed.promises.prepared(2);
    expect(bed.ask()).to.equal(false);
    expect(bed.ask({ epoch: 2 })).to.equal(true);
  });

  it('are refused to others, and for longer than a right lasts', () => {
    const bed = new Bed();
    for (const [change, code] of [
      [{ clusterUid: 'v' }, 'ForeignCluster'],
      [{ from: 'nobody' }, 'InvalidRequest'],
      [{ ttlMs: 3_001 }, 'InvalidRequest'],
    ] as const) {
      expect(() => bed.ask(change))
        .to.throw(AgentError)
        .with.property('code', code);
    }
  });

  it('end with what the record shows: it is looked at while somebody asks and no leader is heard', async () => {
    const bed = new Bed();
    expect(bed.ask()).to.equal(true);
    await bed.clock.advance(0);
    bed.record = record({ epoch: 2, holder: other });
    await bed.clock.advance(600);
    expect(bed.ask()).to.equal(false);
    await bed.clock.advance(60_000);
    const { reads } = bed;
    await bed.clock.advance(60_000);
    expect(bed.reads).to.equal(reads).and.be.lessThan(10);
    bed.isLeaderHeard = true;
    bed.ask({ epoch: 2, from: formatIncarnation(other) });
    await bed.clock.advance(5_000);
    expect(bed.reads).to.equal(reads);
  });
});

describe('promises for an RW', () => {
  const round = { members: [me, other], epoch: 1, generation: 1, ttlMs: 3_000 };
  const peer = (it: Incarnation) => ({
    ...{ incarnation: formatIncarnation(it), address: '10.0.0.1', port: 1, serverName: 's', isMember: true },
  });

  for (const [what, peers, answers, promised] of [
    ['all promise', [me, other], [true, true], [me, other]],
    ['one refuses', [me, other], [true, false], [me]],
    ['one is away', [me, other], [true, undefined], [me]],
    ['the address of one is not known', [me], [true, true], [me]],
  ] as const) {
    it(what, async () => {
      const bed = new Bed();
      bed.promises.peersAre(peers.map(peer));
      for (const [i, answer] of answers.entries()) {
        if (answer !== undefined) bed.answers[formatIncarnation(round.members[i]!)] = answer;
      }
      expect(await bed.promises.ask(round)).to.deep.equal(promised);
    });
  }
});

for (const [commonName, is] of [
  ['orders-7-1001', true],
  ['orders-7-1002', false],
  ['other-7-1001', false],
] as const) {
  it(`${commonName} ${is ? 'is' : 'is not'} the instance that asks`, () =>
    expect(isOf('orders', '1001/p/0000000000000001', commonName)).to.equal(is));
}
