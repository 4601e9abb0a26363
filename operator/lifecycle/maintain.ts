import { ATTESTATION_ANNOTATION } from '../ha/ladder.ts';
import { done, type StepResult, type Wait } from '../workflow/step.ts';
import { driveAccounts } from './accounts.ts';
import { podOf, rwInstance, type ClusterContext } from './context.ts';
import { driveFollowers } from './followers.ts';
import { isOutOfService } from './gather/nodes.ts';
import { podSign } from './gather/pods.ts';
import { ensureObjects } from './objects.ts';
import { ensurePods, releasePods } from './pods.ts';
import { driveWriter } from './writer.ts';

/**
 * Keeps a running cluster as it should be: drift mended, pods back, the RW granted anew after its engine was proven
 * stopped, followers streaming. Asks nobody and writes nothing while no sign has changed.
 * @returns what it waits for, the RW first
 */
export async function maintain(context: ClusterContext): Promise<StepResult> {
  await releasePods(context);
  await ensureObjects(context);
  await ensurePods(context);
  const writer = await maintainWriter(context);
  if (writer.kind === 'wait') {
    if (isLong(writer)) await keepReads(context);
    return writer;
  }
  const accounts = await driveAccounts(context);
  if (accounts.kind === 'wait') return accounts;
  return driveFollowers(context);
}

/** The RW's return is not held up by members that do not answer; when it takes long, they are looked at all the same. */
const isLong = ({ retryInMs }: Wait): boolean => retryInMs === undefined || retryInMs >= LONG_MS;
const LONG_MS = 5_000;

/** Members that came back while the RW is away go on with what they have. What fails is told when the RW is back. */
async function keepReads(context: ClusterContext): Promise<void> {
  try {
    await driveFollowers(context);
  } catch (error) {
    context.tools.log.debug('a member cannot be brought back while the RW is away', { error });
  }
}

/** A stopped cluster keeps its objects, so that nothing is lost or taken by others meanwhile. */
export async function maintainStopped(context: ClusterContext): Promise<StepResult> {
  await releasePods(context);
  await ensureObjects(context);
  return done();
}

/** The RW granted anew when it has to be; costs nothing while no sign of it has changed. */
export async function maintainWriter(context: ClusterContext): Promise<StepResult> {
  const sign = writerSign(context);
  if (context.memory.isSettled('writer', sign)) return done();
  const result = await driveWriter(context, 'running');
  // The sign after the work: what we wrote ourselves is no news. The watch may still lag; then it is looked at once more.
  if (result.kind === 'done') context.memory.settle('writer', writerSign(context));
  return result;
}

/** Whatever can make the writer's state another one shows here: pod, record, publication, node, a person's word. */
function writerSign({ cluster, plan, children, tools }: ClusterContext): string {
  const pod = podOf(children, rwInstance(plan));
  const versions = [...children.leases, ...children.endpointSlices].map(it => it.metadata.resourceVersion);
  const isOff = pod?.spec?.nodeName !== undefined && isOutOfService(tools.node(pod.spec.nodeName));
  return JSON.stringify([podSign(pod), versions, isOff, cluster.metadata.annotations?.[ATTESTATION_ANNOTATION]]);
}
