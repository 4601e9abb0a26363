import { isLeaving } from '../kinds/pods.ts';
import { findCondition } from '../kube/conditions.ts';
import { done, wait, type StepResult, type Wait } from '../workflow/step.ts';
import { podOf, rwInstance, type ClusterContext } from './context.ts';
import { obstacle } from './gather/pods.ts';
import { isGroupStopped, readRecord, recordSeen, servingHolder } from './gather/record.ts';

/**
 * Who is RW is the cluster manager's matter: these only look at what it has done, and tell what it says it waits for. No
 * clock is needed: the watches of record, publication, pods and status wake us.
 */

/** Done when the RW Service leads to the holder of the record. */
export function writerServes(context: ClusterContext): StepResult {
  if (servingHolder(context)) return done();
  // Before there is a record, the pod is all that can be wrong.
  const blocked = obstacleOfRw(context);
  if (blocked && !recordSeen(context)) return wait(blocked.reason, blocked.message);
  const { reason, message } = toldByManager(context);
  return wait(reason, blocked ? `${message}: ${blocked.message}` : message);
}

/** Done when nobody is RW and whoever was last is proven stopped. It is what pods may go by, so it is read directly. */
export async function writerStopped(context: ClusterContext): Promise<StepResult> {
  // Deleted before it had ids: nothing was ever made.
  if (context.plan.instances.length === 0) return done();
  if (isGroupStopped(recordSeen(context)) && isGroupStopped(await readRecord(context))) return done();
  return toldByManager(context);
}

/** What the cluster manager waits for, in its own words. */
function toldByManager({ cluster }: ClusterContext): Wait {
  const told = findCondition(cluster.status.conditions, 'WriterAvailable');
  if (told?.status === 'False') return wait(told.reason, told.message);
  return wait('ClusterManagerPending', 'the cluster manager has not taken this in yet');
}

/** What keeps the pod of the RW from running: that is what a person can mend. */
function obstacleOfRw({ children, plan }: ClusterContext): { reason: string; message: string } | undefined {
  const { podName } = rwInstance(plan);
  const pod = podOf(children, rwInstance(plan));
  if (pod && !isLeaving(pod)) return obstacle(pod);
  if (plan.unresolved !== undefined) return { reason: 'Refused', message: plan.unresolved };
  return pod ? undefined : { reason: 'PodMissing', message: `pod ${podName} is not there yet` };
}
