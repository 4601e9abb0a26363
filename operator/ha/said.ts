import type { Action, Decision, RecordWrite, RequestVerdict } from './action.ts';
import type { Transition } from './record.ts';
import type { Seen } from './sight.ts';
import type { WaitReason } from './waits.ts';

/** What one policy says. With actions or a reason to wait it decides; else the next one is asked. */
export interface Said {
  actions?: readonly Action[];
  wait?: Decision['wait'];
  wakeAt?: number;
  request?: RequestVerdict;
}

/** A policy about the RW: the first one that decides is the last one that is asked. */
export interface Policy {
  name: string;
  say: (view: Seen) => Said | undefined;
}

export const act = (...actions: Action[]): Said => ({ actions });

export const wait = (reason: WaitReason, message: string, more: Omit<Said, 'wait'> = {}): Said => ({
  ...more,
  wait: { reason, message },
});

/** A transition of the record as the action that writes it; one that is refused is a reason to wait and to be told. */
export function write(what: RecordWrite['do'], transition: Transition, more: { message: string; loss?: string }): Said {
  if (transition.ok) return act({ do: what, record: transition.record, ...more });
  return wait('TransitionRefused', `${what}: ${transition.reason}: ${transition.message}`);
}
