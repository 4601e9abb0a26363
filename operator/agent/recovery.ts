import { titleOf } from '../engine/processes.ts';

/** What the recovery of an engine of the PostgreSQL family does, by the title of its startup process. */
export async function recoveryOf(pids: readonly number[]): Promise<string | undefined> {
  for (const pid of pids) {
    const [, doing] = /^postgres: (?:.*: )?startup (.+)$/.exec(await titleOf(pid)) ?? [];
    if (doing !== undefined) return doing;
  }
  return undefined;
}
