import fc from 'fast-check';
import type { Decision } from '../action.ts';
import { begin, FAULT_WEIGHTS, type Fault } from './faults.ts';
import type { Rules } from './rules.ts';
import { World, type WorldOptions } from './world.ts';

/** A world and what happens to it. */
export interface Schedule {
  world: WorldOptions;
  faults: readonly Fault[];
}

/** No writer, and nothing that says what is missing, though the faults stopped long ago. */
export class NoWriter extends Error {
  constructor(what: string) {
    super(what);
    this.name = 'NoWriter';
  }
}

/** How long a group may take after the last fault: two cold starts with their waits, ms. */
export const LIVENESS_MS = 90_000;
const STEP_MS = 1000;

const kinds = fc.oneof(...FAULT_WEIGHTS.map(({ kind, weight }) => ({ weight, arbitrary: fc.constant(kind) })));
const upTo = (ms: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: ms });

/** Any fault. */
export const otherFaults: fc.Arbitrary<Fault> = fc.record({
  after: fc.oneof({ weight: 3, arbitrary: upTo(300) }, { weight: 3, arbitrary: upTo(2000) }, upTo(6000)),
  kind: kinds,
  target: upTo(9),
  lasts: fc.oneof({ weight: 2, arbitrary: upTo(800) }, { weight: 4, arbitrary: upTo(5000) }, upTo(15_000)),
});

/** Of up to 1 % each way: what the margin has to cover. */
const drift = fc.array(
  fc.integer({ min: -10, max: 10 }).map(it => it / 1000),
  { minLength: 4, maxLength: 4 },
);

export const worlds: fc.Arbitrary<WorldOptions> = fc.record({
  seed: fc.noShrink(fc.integer()),
  topology: fc.oneof(
    { weight: 3, arbitrary: fc.constant('local' as const) },
    { weight: 1, arbitrary: fc.constant('share' as const) },
  ),
  instances: fc.oneof({ weight: 4, arbitrary: fc.constant(3) }, fc.constant(2), fc.constant(1)),
  drift,
  writeMs: fc.integer({ min: 40, max: 150 }),
  ha: fc.record({
    durability: fc.constantFrom('preferred' as const, 'required' as const),
    unfencedFailover: fc.constantFrom('never' as const, 'afterExpiry' as const),
  }),
});

/** When a schedule begins: mostly on a group that is up. */
const firstFaults = fc.oneof({ weight: 9, arbitrary: fc.constant(7000) }, upTo(7000));

export const schedules: fc.Arbitrary<Schedule> = fc
  .tuple(worlds, firstFaults, fc.array(otherFaults, { minLength: 1, maxLength: 8, size: 'max' }))
  .map(([world, first, all]) => ({ world, faults: all.map((it, at) => (at === 0 ? { ...it, after: first } : it)) }));

/**
 * Plays a schedule on the production rules, or on rules with one taken out.
 * @throws PromiseBroken, NoWriter
 */
export function play({ world: options, faults: all }: Schedule, rules?: Rules, tell?: (line: string) => void): World {
  const world = new World(options, rules, tell);
  const mends: (() => void)[] = [];
  for (const fault of all) {
    world.runFor(fault.after);
    world.tell(() => `FAULT ${fault.kind} (${fault.target}) for ${fault.lasts} ms`);
    begin(world, fault, mend => mends.push(mend));
  }
  world.runFor(Math.max(0, ...all.map(it => Math.min(it.lasts, 8000))));
  world.tell(() => 'the faults are over');
  for (const mend of mends) mend();
  world.mendAll();
  settle(
    world,
    all.some(it => it.kind === 'etcd restored'),
  );
  return world;
}

/** No more faults: a writer comes up and is published, or a condition names what is missing, and doing it helps. */
function settle(world: World, isRestored: boolean): void {
  if (isServingIn(world, LIVENESS_MS)) return;
  const wait = waitOf(world);
  if (!wait || wait.message.length === 0) throw new NoWriter('no writer, and no reason is given');
  // What etcd forgot nobody may guess: whoever restores it looks after the group himself, by what it says is missing.
  if (isRestored) return;
  const isHelped = HELPED.has(wait.reason) && world.attest() && isServingIn(world, LIVENESS_MS);
  if (!isHelped) throw new NoWriter(`no writer: ${wait.reason}: ${wait.message}`);
}

function isServingIn(world: World, ms: number): boolean {
  for (let waited = 0; waited < ms; waited += STEP_MS) {
    world.runFor(STEP_MS);
    if (world.isServing) return true;
  }
  return false;
}

const waitOf = (world: World): Decision['wait'] => world.managers.find(it => it.isLeading)?.lastDecision?.wait;

/** What a person's word that the former RW is dead helps against. */
const HELPED: ReadonlySet<string> = new Set(['FormerNotProven', 'NoCandidate']);
