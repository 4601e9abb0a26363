import type { AllFacts } from '../facts.ts';
import { JOB_NAMES, type JobName, type LoopState } from '../loop.ts';

interface FactView {
  /** RFC 3339. */
  at: string;
  ageSeconds: number;
  /** The loop keeps it up: neither failing, nor hanging, nor switched off. */
  isCurrent: boolean;
  fact: unknown;
}

/** All that is known of a host. */
export interface HostView {
  host: string;
  version: string;
  facts: Partial<Record<JobName, FactView>>;
  loops: Readonly<Record<JobName, LoopState>>;
}

export interface HostSources {
  host: string;
  version: string;
  facts: { all(): AllFacts };
  loops: { readonly states: Readonly<Record<JobName, LoopState>> };
}

/** A fact outlives the loop that found it: how old it is, and whether it is kept up, is told beside it. */
export function hostView({ host, version, facts, loops }: HostSources): HostView {
  const { states } = loops;
  const known = facts.all();
  const views = JOB_NAMES.flatMap(name => {
    const aged = known[name];
    if (!aged) return [];
    const { failures, isStuck, result } = states[name];
    const isCurrent = failures === 0 && !isStuck && result?.skipped !== true;
    const view: FactView = { at: aged.at.toISOString(), ageSeconds: aged.ageMs / 1_000, isCurrent, fact: aged.fact };
    return [[name, view] as const];
  });
  return { host, version, facts: Object.fromEntries(views), loops: states };
}
