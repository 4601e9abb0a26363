import { RESOURCES } from '../../kube/resources.ts';
import { done, NO_LIMIT, type Step } from '../../workflow/step.ts';
import { driveAccounts } from '../accounts.ts';
import { isClaimOf } from '../builders/volumes.ts';
import { rwInstance, type ClusterContext } from '../context.ts';
import { releaseHostPorts } from '../host-ports.ts';
import { maintain } from '../maintain.ts';
import { LABEL } from '../../model/labels.ts';
import { ensureObjects } from '../objects.ts';
import { ensurePods, podsRunning, releasePods, removePods } from '../pods.ts';
import { writerServes, writerStopped } from '../writer.ts';

export const prepareObjects: Step<ClusterContext> = {
  name: 'PrepareObjects',
  async run(context) {
    await ensureObjects(context);
    return done();
  },
};

export const startPods: Step<ClusterContext> = {
  name: 'StartPods',
  waitLimitMs: NO_LIMIT,
  async run(context) {
    await keepParts(context);
    // Followers start meanwhile: they are waited for when they join.
    return podsRunning(context, [rwInstance(context.plan)]);
  },
};

/** The cluster manager makes the record and the RW, as soon as the pods that it needs are there. */
export const bringUpWriter: Step<ClusterContext> = {
  name: 'BringUpWriter',
  waitLimitMs: NO_LIMIT,
  async run(context) {
    await keepParts(context);
    return writerServes(context);
  },
};

export const createAccounts: Step<ClusterContext> = {
  name: 'CreateAccounts',
  waitLimitMs: NO_LIMIT,
  async run(context) {
    await keepParts(context);
    const writer = writerServes(context);
    return writer.kind === 'wait' ? writer : driveAccounts(context);
  },
};

/** With all that is there already kept up: a copy may take hours, and is the cluster manager's to judge. */
export const joinFollowers: Step<ClusterContext> = { name: 'JoinFollowers', waitLimitMs: NO_LIMIT, run: maintain };

/** What goes in the middle of a flow comes back: a pod, or an object that went with a former cluster of the same name. */
async function keepParts(context: ClusterContext): Promise<void> {
  await releasePods(context);
  await ensureObjects(context);
  await ensurePods(context);
}

/**
 * The cluster manager stops the RW, since spec asks for it. The RW goes first: a primary whose replicas are gone cannot
 * end a clean stop (facts: engines, 4).
 */
export const stopWriter: Step<ClusterContext> = {
  name: 'StopWriter',
  waitLimitMs: NO_LIMIT,
  run: writerStopped,
};

export const removeAllPods: Step<ClusterContext> = { name: 'RemovePods', waitLimitMs: NO_LIMIT, run: removePods };

/** Volumes go only when the spec says so, and only after no pod can write to them any more. */
export const removeVolumes: Step<ClusterContext> = {
  name: 'RemoveVolumes',
  async run({ plan, tools }) {
    // Read directly: what the watch had not shown would stay without anybody knowing of it.
    const selection = { namespace: plan.namespace, labelSelector: `${LABEL.cluster}=${plan.name}` };
    const found = await tools.client.list(RESOURCES.persistentVolumeClaims, selection);
    const claims = found.filter(claim => isClaimOf(plan, claim));
    if (plan.terminationPolicy === 'Retain') {
      for (const { metadata } of claims) tools.log.info('volume is retained', { claim: metadata.name });
      return done();
    }
    for (const { metadata } of claims) {
      const { name, namespace, uid } = metadata;
      await tools.client.delete(RESOURCES.persistentVolumeClaims, { name, namespace }, { uid });
    }
    return done();
  },
};

export const releasePorts: Step<ClusterContext> = {
  name: 'ReleasePorts',
  async run({ plan, tools }) {
    await releaseHostPorts(tools.client, plan, tools.systemNamespace);
    return done();
  },
};
