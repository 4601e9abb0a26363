import type { Agent } from './agent.ts';
import { RW_TARGETS } from './fault-targets.ts';
import { API, type Host } from './network.ts';
import type { World } from './world.ts';

/** One fault that happens now. */
export interface Hit {
  world: World;
  target: number;
  lasts: number;
  /** Later, when the fault is over or the schedule ends. */
  end: (mend: () => void) => void;
}

export function agentAt({ world, target }: Hit): Agent | undefined {
  const { agents, holder } = world;
  if (target < RW_TARGETS && holder) return holder;
  const sorted = agents.sort((a, b) => a.incarnation.instanceId.localeCompare(b.incarnation.instanceId));
  return sorted[(target - RW_TARGETS + sorted.length) % Math.max(1, sorted.length)];
}

export const onAgent =
  (does: (agent: Agent, hit: Hit) => void): ((hit: Hit) => void) =>
  hit => {
    const agent = agentAt(hit);
    if (agent) does(agent, hit);
  };

export function hostAt(hit: Hit): Host {
  const { world, target } = hit;
  const { machines } = world;
  const at = (target - RW_TARGETS + machines.length) % machines.length;
  return (target < RW_TARGETS ? agentAt(hit)?.host : undefined) ?? machines[at]!.name;
}

export function cut(hit: Hit, pairs: readonly (readonly [Host, Host])[]): void {
  const { network } = hit.world;
  for (const [from, to] of pairs) network.cut(from, to);
  hit.end(() => pairs.forEach(([from, to]) => network.mend(from, to)));
}

export const others = (hit: Hit, host: Host): Host[] =>
  [...hit.world.machines.map(it => it.name), API].filter(it => it !== host);

/** Something of the API server that comes right again. */
export const onApi =
  (begin: (world: World) => void, over: (world: World) => void): ((hit: Hit) => void) =>
  ({ world, end }) => {
    begin(world);
    end(() => over(world));
  };
