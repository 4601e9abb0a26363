import { expect } from 'chai';
import fc from 'fast-check';
import type { QuorumReport } from './evidence.ts';
import { isSameIncarnation, type Incarnation } from './incarnation.ts';
import { nextQuorumStep, type QuorumView } from './quorum.ts';
import { must } from './testing/samples.ts';
import { full, held, pending, three, two } from './testing/group.ts';
import { setMembers, type GroupRecord } from './record.ts';
import { inc } from './testing/samples.ts';

const four = inc('4', 'pod-4', 'f');
const all = [two, three, four];
const engine = (members: Incarnation[], generation = 3, k = 1): QuorumReport => ({
  generation,
  members,
  k,
  isInEffect: true,
  since: 100n,
});
const both = { members: [two, three], k: 1 };

describe('changes of E and k', () => {
  const cases: [what: string, view: Partial<QuorumView>, expected: object | undefined][] = [
    ['as wanted', {}, undefined],
    [
      'more members: recorded as pending',
      { wanted: { members: all, k: 1 } },
      { do: 'record', members: [...full(two, three), ...pending(four)], k: 1, generation: 4 },
    ],
    [
      'more members: then the engine, by the same generation',
      {
        record: { ...held, members: [...full(two, three), ...pending(four)], generation: 4 },
        wanted: { members: all, k: 1 },
      },
      { do: 'engine', members: all, k: 1, generation: 4 },
    ],
    [
      'more members: full when the engine has acknowledged',
      {
        record: { ...held, members: [...full(two, three), ...pending(four)], generation: 4 },
        engine: engine(all, 4),
        wanted: { members: all, k: 1 },
      },
      { do: 'record', members: full(...all), k: 1, generation: 4 },
    ],
    [
      'fewer members: engine first',
      { wanted: { members: [two], k: 1 } },
      { do: 'engine', members: [two], k: 1, generation: 4 },
    ],
    [
      'fewer members: commanded again under its number until it is in effect',
      { wanted: { members: [two], k: 1 }, engine: { ...engine([two], 4), isInEffect: false } },
      { do: 'engine', members: [two], k: 1, generation: 4 },
    ],
    [
      'fewer members: the rest does not hold everything yet',
      { wanted: { members: [two], k: 1 }, engine: { ...engine([two], 4), since: 101n } },
      { do: 'awaitProof', missing: '1 of the members that hold all acknowledged rows' },
    ],
    [
      'fewer members: proven, recorded',
      { wanted: { members: [two], k: 1 }, engine: engine([two], 4) },
      { do: 'record', members: full(two), k: 1, generation: 4 },
    ],
    [
      'last member dies, preferred: recorded first',
      { wanted: { members: [], k: 0 } },
      { do: 'record', members: [], k: 0, generation: 4 },
    ],
    [
      '... then the engine',
      { wanted: { members: [], k: 0 }, record: { ...held, members: [], k: 0, generation: 4 } },
      { do: 'engine', members: [], k: 0, generation: 4 },
    ],
    [
      'additions before removals',
      { wanted: { members: [two, four], k: 1 } },
      { do: 'record', members: [...full(two, three), ...pending(four)], k: 1, generation: 4 },
    ],
    [
      'never below what the engine has taken',
      { wanted: { members: all, k: 1 }, engine: engine([two], 9) },
      { do: 'record', members: [...full(two, three), ...pending(four)], k: 1, generation: 10 },
    ],
    [
      'one number never means two settings',
      { engine: engine([two], 3) },
      { do: 'engine', members: [two, three], k: 1, generation: 4 },
    ],
    [
      'an engine that was never told anything',
      { record: { ...held, members: [], k: 0 }, engine: undefined, wanted: { members: [], k: 0 } },
      undefined,
    ],
  ];
  for (const [what, changes, expected] of cases) {
    it(what, () => {
      const view = { record: held, engine: engine([two, three]), wanted: both, flushed: () => 100n, ...changes };
      expect(nextQuorumStep(view)).to.deep.equal(expected);
    });
  }

  it('whatever is acknowledged is held by k members of the recorded E at every moment, and the change ends', () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 80 }), events => {
        const group = new Group();
        for (const it of events) {
          group.play(it);
          expect(group.holders()).to.be.at.least(group.record.k);
        }
        group.settle();
        expect(group.record.members).to.deep.equal(full(...group.wanted.members));
        expect(group.record.k).to.equal(group.wanted.k);
      }),
      { numRuns: 1000 },
    );
  });

  it('bites: with the record first when a member goes, an acknowledged row is on no member', () => {
    const property = fc.property(fc.array(event, { minLength: 1, maxLength: 80 }), events => {
      const group = new Group({ isRecordFirst: true });
      for (const it of events) {
        group.play(it);
        expect(group.holders()).to.be.at.least(group.record.k);
      }
    });
    expect(fc.check(property, { numRuns: 2000 }).failed).to.equal(true);
  });
});

type Event =
  | { what: 'write' | 'step' | 'inEffect' | 'ack' }
  | { what: 'flush'; member: number }
  | { what: 'want'; some: boolean[] };
const event: fc.Arbitrary<Event> = fc.oneof(
  ...(['write', 'step', 'inEffect', 'ack'] as const).map(what => fc.constant({ what })),
  fc.record({ what: fc.constant('flush' as const), member: fc.nat(2) }),
  fc.record({ what: fc.constant('want' as const), some: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }) }),
);

/** An RW with three members. Until a setting is in effect, sessions go by it or by the one before. */
class Group {
  record: GroupRecord = held;
  wanted: QuorumView['wanted'] = both;
  #engine: QuorumReport = { ...engine([two, three]), since: 0n };
  #before: Pick<QuorumReport, 'members' | 'k'> = both;
  #written = 0n;
  #acknowledged = 0n;
  readonly #flushed = new Map<Incarnation, bigint>();
  readonly #mutation: { isRecordFirst?: boolean };

  constructor(mutation: { isRecordFirst?: boolean } = {}) {
    this.#mutation = mutation;
  }

  play(it: Event): void {
    if (it.what === 'write') this.#written += 1n;
    if (it.what === 'flush') this.#flushed.set(all[it.member]!, this.#written);
    if (it.what === 'ack') this.#acknowledge();
    if (it.what === 'inEffect') this.#inEffect();
    if (it.what === 'want') this.#want(all.filter((_, i) => it.some[i]));
    if (it.what === 'step') this.#step();
  }

  /** Members of the recorded E that hold everything acknowledged. */
  holders(): number {
    const named = (it: Incarnation) => this.record.members.some(m => isSameIncarnation(m.incarnation, it));
    return all.filter(it => named(it) && this.#at(it) >= this.#acknowledged).length;
  }

  settle(): void {
    for (let i = 0; i < 20; i++) {
      for (const member of [0, 1, 2]) this.play({ what: 'flush', member });
      for (const what of ['ack', 'step', 'inEffect'] as const) this.play({ what });
    }
  }

  #want(members: Incarnation[]): void {
    this.wanted = { members, k: Math.min(1, members.length) };
    const isFewer = this.record.members.length > members.length && members.length > 0;
    if (!this.#mutation.isRecordFirst || !isFewer) return;
    const generation = Math.max(this.record.generation, this.#engine.generation) + 1;
    this.record = must(setMembers(this.record, { members: full(...members), k: 1, generation }));
  }

  #step(): void {
    const step = nextQuorumStep({
      record: this.record,
      engine: this.#engine,
      wanted: this.wanted,
      flushed: it => this.#at(it),
    });
    if (step?.do === 'record') this.record = must(setMembers(this.record, step));
    if (step?.do !== 'engine' || step.generation === this.#engine.generation) return;
    expect(step.generation).to.be.above(this.#engine.generation);
    this.#inEffect();
    const { members, k, generation } = step;
    this.#before = this.#engine;
    this.#engine = { members, k, generation, isInEffect: false };
  }

  #inEffect(): void {
    if (this.#engine.isInEffect) return;
    this.#engine = { ...this.#engine, isInEffect: true, since: this.#written };
    this.#before = this.#engine;
  }

  #acknowledge(): void {
    for (const { members, k } of [this.#before, this.#engine]) {
      const held = members.map(it => this.#at(it)).sort((a, b) => Number(b - a));
      const reached = k === 0 ? this.#written : (held[k - 1] ?? 0n);
      if (reached > this.#acknowledged) this.#acknowledged = reached;
    }
  }

  #at(it: Incarnation): bigint {
    const found = all.find(other => isSameIncarnation(other, it));
    return (found && this.#flushed.get(found)) ?? 0n;
  }
}
