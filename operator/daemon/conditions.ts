import { HOST_CONDITION } from '../model/host.ts';
import type { SettingsProblem } from '../settings/types.ts';
import type { JobName, LoopState } from './loop.ts';

/** A condition of a node, as the API has it. */
export interface NodeCondition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastHeartbeatTime?: string;
  lastTransitionTime?: string;
}

export interface HostConditionUpdate {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
}

/** The original's sign of life. */
export const REFRESHED: HostConditionUpdate = {
  type: HOST_CONDITION.refreshed,
  status: 'True',
  reason: 'Refresh',
  message: 'Refresh',
};

/** A single failure is mended by the next try; the host is not well when a loop fails so often in a row. */
export const FAILURES_THAT_COUNT = 3;

/** A clean-up may take its time, and nobody waits for it. */
const SLOW: JobName = 'logs';

/** Do all loops do their work? */
export function hostReady(loops: Readonly<Record<JobName, LoopState>>): HostConditionUpdate {
  const type = HOST_CONDITION.hostReady;
  const all = Object.entries(loops) as [JobName, LoopState][];
  const told = (some: typeof all): string => some.map(([name, { error }]) => `${name}: ${error ?? ''}`).join('; ');
  const stuck = all.filter(([, { isStuck }]) => isStuck);
  if (stuck.length > 0) return { type, status: 'False', reason: 'LoopStuck', message: told(stuck) };
  const failing = all.filter(([, { failures }]) => failures >= FAILURES_THAT_COUNT);
  if (failing.length > 0) return { type, status: 'False', reason: 'LoopFailing', message: told(failing) };
  const waiting = all.filter(([name, { lastSuccess }]) => !lastSuccess && name !== SLOW).map(([name]) => name);
  if (waiting.length === 0) return { type, status: 'True', reason: 'AllLoopsWork', message: 'all loops do their work' };
  return { type, status: 'Unknown', reason: 'LoopsStarting', message: `not through once yet: ${waiting.join(', ')}` };
}

/** Can every value of the settings be used? The last good ones are in force meanwhile. */
export function settingsValid(problems: readonly SettingsProblem[]): HostConditionUpdate {
  const type = HOST_CONDITION.settingsValid;
  if (problems.length === 0)
    return { type, status: 'True', reason: 'SettingsAccepted', message: 'every value is in use' };
  const message = problems.map(problem => `${problem.map} ${problem.key}: ${problem.message}`).join('; ');
  return { type, status: 'False', reason: 'SettingsInvalid', message };
}

/** Messages of nodes are for `kubectl describe`, not for logs. */
const LONGEST = 1_000;

export interface NextConditions {
  conditions: NodeCondition[];
  /** Do they say something else than `current`? */
  isNews: boolean;
}

/** The conditions to write. The time of a transition moves with the status alone, and outlives this process. */
export function nextConditions(
  current: readonly NodeCondition[],
  updates: readonly HostConditionUpdate[],
  now: Date,
): NextConditions {
  const time = `${now.toISOString().slice(0, 19)}Z`;
  let isNews = false;
  const conditions = updates.map(({ type, status, reason, message: text }) => {
    const message = text.slice(0, LONGEST);
    const before = current.find(condition => condition.type === type);
    isNews ||= before?.status !== status || before.reason !== reason || before.message !== message;
    const lastTransitionTime = before?.status === status ? (before.lastTransitionTime ?? time) : time;
    return { type, status, reason, message, lastHeartbeatTime: time, lastTransitionTime };
  });
  const ours = Object.values<string>(HOST_CONDITION).filter(type => current.some(known => known.type === type));
  isNews ||= ours.some(type => !updates.some(update => update.type === type));
  return { conditions, isNews };
}
