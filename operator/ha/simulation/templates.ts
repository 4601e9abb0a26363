import fc from 'fast-check';
import { RW_TARGETS } from './fault-targets.ts';
import type { Fault, FaultKind } from './faults.ts';
import { otherFaults, worlds, type Schedule } from './schedule.ts';
import type { WorldOptions } from './world.ts';

type Range = readonly [low: number, high: number];
/** Fault, whom it hits, after how long, for how long, ms. */
type Line = readonly [kind: FaultKind, target: number, after: Range, lasts: Range];

/** A story that a rule needs: what happens in which order, and about when. Small things differ, and noise comes between. */
export interface Template {
  world: Partial<WorldOptions>;
  story: readonly Line[];
}

/** The group is up, with all members in E. */
const UP: Range = [6000, 7000];
const LONG: Range = [11_000, 13_000];

const RW = 0;
/** Instance 1, 2 or 3, or its host. */
const FIRST = RW_TARGETS;
const RO_2 = RW_TARGETS + 1;
const RO_3 = RW_TARGETS + 2;
/** Of two hosts: the RW's, and another. */
const RW_AND_HOST_3 = 3;
const RW_AND_HOST_4 = 2;
/** Second host of a pair: where an RO runs, or the leading cluster manager. */
const WITH_HOST_2 = 1;
const WITH_HOST_4 = 3;

const share: Partial<WorldOptions> = {
  topology: 'share',
  instances: 3,
  ha: { durability: 'preferred', unfencedFailover: 'afterExpiry' },
};
const local: Partial<WorldOptions> = {
  topology: 'local',
  instances: 3,
  ha: { durability: 'preferred', unfencedFailover: 'never' },
};

export const templates = {
  /** A container of the RW ended and the next one was granted; then its pod is deleted while its host is cut off. */
  secondLife: {
    world: share,
    story: [
      ['agent killed', RW, UP, [0, 0]],
      ['host cut off', RW, [5000, 8000], LONG],
      ['pod deleted', RW, [0, 300], [0, 0]],
    ],
  },
  /** Somebody calls the container of a lost host ended, by its status. */
  forgedStatus: {
    world: share,
    story: [
      ['host cut off', RW, UP, LONG],
      ['status forged', RW, [0, 1000], [0, 0]],
      ['pod deleted', RW, [0, 1000], [0, 0]],
    ],
  },
  plannedStop: { world: share, story: [['switchover asked', RW, UP, [0, 0]]] },
  /** It still reaches the API server alone, whose caches lag. */
  staleReads: {
    world: share,
    story: [
      ['host cut from others', RW, UP, LONG],
      ['caches lag', RW, [0, 500], LONG],
      ['pod deleted', RW, [0, 500], [0, 0]],
    ],
  },
  /** The agent stands still while its RW writes and its members answer. */
  writesOn: {
    world: { ...local, writeMs: 10 },
    story: [
      ['kubelet stopped', RW, UP, LONG],
      ['agent stopped', RW, [2500, 3200], LONG],
    ],
  },
  /** The same, and one of the members loses the RW after it has answered. */
  writesOnToOne: {
    world: { ...local, writeMs: 30 },
    story: [
      ['kubelet stopped', RW, UP, LONG],
      ['agent stopped', RW, [2500, 3200], LONG],
      ['hosts cut', RW, [1400, 2300], LONG],
    ],
  },
  /** An answer is taken in long after it was given, by an agent that stood still and is cut off. */
  oldAnswer: {
    world: share,
    story: [
      ['kubelet stopped', RW, UP, LONG],
      ['bad network', RW, [2300, 2800], [800, 1500]],
      ['agent stopped', RW, [200, 600], [2000, 2900]],
      ['host cut off', RW, [100, 500], LONG],
    ],
  },
  /** One member paused while the other acknowledged, then the other and the RW are lost. */
  pausedMember: {
    world: local,
    story: [
      ['engine stopped', RO_2, UP, [1200, 2500]],
      ['host cut off', RO_3, [500, 1000], LONG],
      ['host off', RW, [0, 100], LONG],
    ],
  },
  laggard: {
    world: local,
    story: [
      ['engine stopped', RO_2, UP, [500, 1500]],
      ['postmaster killed', RW, [300, 1000], [0, 0]],
      ['postmaster killed', RW, [500, 1500], [0, 0]],
    ],
  },
  /** A new RW dies before its follower knows of its timeline, and comes back as a member; then its successor dies. */
  sameTimeline: {
    world: { ...local, writeMs: 15 },
    story: [
      ['postmaster killed', RW, UP, [0, 0]],
      ['host frozen', RW, [60, 250], [2200, 3500]],
      ['agent killed', RW, [4500, 7000], [0, 0]],
    ],
  },
  /** A member comes back while writes of the record hang; it alone acknowledges, then the RW is lost. */
  hangingAddition: {
    world: local,
    story: [
      ['agent killed', RO_3, UP, [0, 0]],
      ['API hangs', RW, [900, 1300], [500, 900]],
      ['engine stopped', RO_2, [0, 300], [2000, 2900]],
      ['host off', RW, [300, 900], LONG],
    ],
  },
  /** Only a member still reaches it, and promises until it is asked to refuse. The RW's clock is slow. */
  lastPromise: {
    world: { ...share, instances: 2, drift: [-0.01, 0.01, 0.01, 0.01] },
    story: [
      ['host cut from API', RW, UP, LONG],
      ['hosts cut', RW_AND_HOST_3, [0, 10], LONG],
      ['hosts cut', RW_AND_HOST_4, [0, 10], LONG],
    ],
  },
  /** Its pod is gone, and it goes on behind a cut link. */
  ghost: {
    world: share,
    story: [
      ['host cut off', RW, UP, LONG],
      ['pod deleted by force', RW, [0, 500], [0, 0]],
    ],
  },
  /** A removal hangs, the member comes back, and the removal lands after all. */
  hangingRemoval: {
    world: local,
    story: [
      ['hosts cut', RW, UP, [3200, 3800]],
      ['record writes hang', RW, [2300, 2800], [3000, 6000]],
      ['engine stopped', RO_3, [1200, 2600], [4000, 5500]],
      ['host off', RW, [1500, 3500], LONG],
    ],
  },
  lateRevoke: {
    world: share,
    story: [
      ['kubelet stopped', RW, UP, LONG],
      ['host cut from others', RW, [2000, 3000], LONG],
      ['API hangs', RW, [0, 1500], [1500, 3500]],
      ['host cut from API', RW, [500, 4000], LONG],
    ],
  },
  /** The new RW stands still as soon as it is granted; its command to promote waits for it. */
  latePromotion: {
    world: local,
    story: [
      ['postmaster killed', RW, UP, [0, 0]],
      ['agent stopped', RW, [60, 200], [6000, 8000]],
      ['host cut off', RW, [20, 200], LONG],
    ],
  },
  removedTooEarly: {
    world: local,
    story: [
      ['hosts cut', RW, UP, [4500, 5200]],
      ['agent stopped', RW, [2700, 3900], [3000, 3500]],
      ['engine stopped', RO_3, [300, 1200], [2500, 3500]],
      ['host off', RW, [1300, 2200], LONG],
    ],
  },
  /** A member is added by a write that hangs; the RW does not hear of it, since it is cut off with another one. */
  unheardAddition: {
    world: share,
    story: [
      ['agent killed', RO_3, UP, [0, 0]],
      ['API hangs', RW, [300, 1300], [4000, 5000]],
      ['two hosts cut off', WITH_HOST_2, [300, 1500], LONG],
    ],
  },
  island: { world: share, story: [['two hosts cut off', WITH_HOST_2, UP, LONG]] },
  islandWithLeader: { world: share, story: [['two hosts cut off', WITH_HOST_4, UP, LONG]] },
  frozenAgent: {
    world: share,
    story: [
      ['kubelet stopped', RW, UP, LONG],
      ['agent stopped', RW, [0, 2000], LONG],
    ],
  },
  /** The RW gives way to another one and comes back; it is cut off before it has told so. */
  sameAgain: {
    world: share,
    story: [
      ['switchover asked', RO_2, UP, [0, 0]],
      ['switchover asked', FIRST, [3000, 4000], [0, 0]],
      ['host cut off', FIRST, [300, 1200], LONG],
      ['pod deleted', FIRST, [0, 300], [0, 0]],
    ],
  },
  /**
   * The store goes back to before the first grant while nobody leads; the RW's pod is made anew beside it on its host, whose
   * kubelet stops before it has ended the former container.
   */
  twinOnItsHost: {
    world: { ...local, instances: 1 },
    story: [
      ['manager killed', RW, [7000, 7000], [0, 0]],
      ['etcd restored', RW, [0, 0], [6000, 6800]],
      ['pod deleted by force', RW, [0, 300], [0, 0]],
      ['kubelet stopped', FIRST, [900, 1500], LONG],
    ],
  },
  /** Restarted in place while no member answers. */
  restartAlone: {
    world: local,
    story: [
      ['engine stopped', RO_2, UP, [1500, 2000]],
      ['engine stopped', RO_3, [0, 10], [1500, 2000]],
      ['postmaster killed', RW, [0, 100], [0, 0]],
      ['host off', RW, [600, 1300], LONG],
    ],
  },
} satisfies Record<string, Template>;

const between = ([min, max]: Range): fc.Arbitrary<number> => fc.integer({ min, max });

/** A story with its small differences, now and then with something else in it. */
export function told({ world, story }: Template): fc.Arbitrary<Schedule> {
  const lines = story.map(([kind, target, after, lasts]) =>
    fc.record({ kind: fc.constant(kind), target: fc.constant(target), after: between(after), lasts: between(lasts) }),
  );
  const noise = fc.oneof(
    { weight: 9, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: otherFaults.map(it => [it]) },
  );
  const faults: fc.Arbitrary<Fault[]> = fc
    .tuple(...lines.map(line => fc.tuple(line, noise)))
    .map(all => all.flatMap(([it, more]) => [it, ...more]));
  return fc.record({ world: worlds.map(it => ({ ...it, ...world })), faults });
}
