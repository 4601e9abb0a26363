import { isLeaving } from '../kinds/pods.ts';
import { done, wait, type StepResult } from '../workflow/step.ts';
import { podOf, type ClusterContext } from './context.ts';
import { isReady } from './gather/pods.ts';
import { recordSeen } from './gather/record.ts';
import { podsRunning } from './pods.ts';
import type { ClusterInstance } from '../kinds/instances.ts';

/**
 * Done when every follower is in its place: its pod says so by being Ready. The cluster manager brings them there and
 * tells of each how far it is.
 */
export function followersServe(context: ClusterContext): StepResult {
  const rw = recordSeen(context)?.holder?.instanceId;
  const missing = context.plan.instances.find(it => it.id !== rw && !isInPlace(context, it));
  if (!missing) return done();
  const blocked = podsRunning(context, [missing]);
  return blocked.kind === 'wait' ? blocked : wait('FollowersNotReady', stateOf(context, missing));
}

function isInPlace({ children }: ClusterContext, instance: ClusterInstance): boolean {
  const pod = podOf(children, instance);
  return pod !== undefined && isReady(pod) && !isLeaving(pod);
}

/** As the cluster manager tells it. */
function stateOf({ cluster }: ClusterContext, { id }: ClusterInstance): string {
  const { state = 'PENDING', reason = '' } = cluster.status.dbInstanceStatus?.[id]?.currentState ?? {};
  return [`instance ${id} is ${state}`, reason].filter(Boolean).join(': ');
}
