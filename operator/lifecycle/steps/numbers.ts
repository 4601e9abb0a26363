import type { InstanceStatus, MPDClusterStatus } from '../../../crds/mpdcluster.ts';
import { UserError } from '../../model/errors.ts';
import { LABEL } from '../../model/labels.ts';
import { podName } from '../../model/names.ts';
import { POD_NETWORK_PORTS, type InstancePorts } from '../../model/ports.ts';
import { done, NO_LIMIT, wait, type Step } from '../../workflow/step.ts';
import type { ClusterContext } from '../context.ts';
import { takeHostPorts } from '../host-ports.ts';
import { takeIds } from '../ids.ts';
import { MPD_CLUSTERS } from '../../kinds/mpd.ts';
import { isEligible } from '../operations.ts';

/**
 * Takes ids and ports for the instances that are missing and writes them down before anything is made with them. The
 * cluster is read directly: by an old copy the ids would be taken twice.
 */
export const takeNumbers: Step<ClusterContext> = {
  name: 'TakeNumbers',
  waitLimitMs: NO_LIMIT,
  async run(context) {
    try {
      await take(context);
      return done({ instances: context.plan.instances.map(it => it.id).join(' ') });
    } catch (error) {
      // A port that is taken may be given back: the wait says so and ends by itself.
      if (error instanceof UserError) return wait('Refused', error.message, { retryInMs: 5_000 });
      throw error;
    }
  },
};

/**
 * A step that works on the instances whose ids were taken before it. The watch may still show the cluster without them;
 * by that copy there would be nothing to do, and the step would be done with nothing made.
 */
export const onNumbered = (step: Step<ClusterContext>): Step<ClusterContext> => ({
  ...step,
  run(context, run) {
    const seen = new Set(context.plan.instances.map(it => it.id));
    const isUnseen = (run.data.instances ?? '').split(' ').some(id => id !== '' && !seen.has(id));
    if (!isUnseen) return step.run(context, run);
    return Promise.resolve(
      wait('InstancesUnseen', 'the watch does not show the new instances yet', { retryInMs: 200 }),
    );
  },
});

async function take(context: ClusterContext): Promise<void> {
  const { cluster, plan, tools } = context;
  const ref = { namespace: plan.namespace, name: plan.name };
  const now = await tools.client.get(MPD_CLUSTERS, ref);
  if (!now) return;
  const missing = missingInstances(now.status ?? {}, cluster.spec.followerNum);
  if (missing.length === 0) {
    context.adopt(now);
    return;
  }
  const ports = await takePorts(context);
  const hasLogicId = now.status?.logicId !== undefined;
  const count = 2 * missing.length + (hasLogicId ? 0 : 1);
  const ids = await takeIds(tools.client, tools.settingsNamespace, count, highestId(now.status ?? {}, context));
  const logicId = hasLogicId ? {} : { logicId: ids.shift()! };
  const hostIds = freeHostIds(now.status ?? {});
  const entries = missing.map((insType, i) => {
    const [physicalInsId, insId] = [ids[2 * i]!, ids[2 * i + 1]!];
    const hostId = plan.topology === 'share' ? hostIds[i] : undefined;
    return [insId, newInstance(plan, { physicalInsId, insId, insType, ports, hostId })] as const;
  });
  const status = { ...logicId, dbInstanceStatus: Object.fromEntries(entries) };
  const { resourceVersion } = now.metadata;
  context.adopt(await tools.client.patchStatus(MPD_CLUSTERS, ref, status, { resourceVersion }));
  tools.log.info('took ids', { instances: entries.map(([id]) => id) });
}

/**
 * Instances that are wanted and not there. The very first is the one to begin with, as RW; from then on the cluster
 * manager says who is RW, so that only their number counts.
 */
function missingInstances({ dbInstanceStatus = {} }: MPDClusterStatus, followerNum: number): ('rw' | 'ro')[] {
  const there = Object.values(dbInstanceStatus).filter(isEligible).length;
  const missing = Array.from({ length: Math.max(0, 1 + followerNum - there) }, () => 'ro' as const);
  return there > 0 ? missing : ['rw', ...missing.slice(1)];
}

/** Of this cluster, and of volumes that a former one of its name left: an id given again would take over what it names. */
function highestId({ logicId, dbInstanceStatus = {} }: MPDClusterStatus, { children }: ClusterContext): number {
  const instances = Object.entries(dbInstanceStatus).flatMap(([id, { physicalInsId }]) => [id, physicalInsId]);
  const volumes = children.claims.map(({ metadata }) => metadata.labels?.[LABEL.instance]);
  const numbers = [logicId, ...instances, ...volumes].map(id => Number(id));
  return Math.max(0, ...numbers.filter(Number.isSafeInteger));
}

/** Members of a shared volume are told apart on it by the original's host ids: 5 to 25, one each (facts: ids). */
function freeHostIds({ dbInstanceStatus = {} }: MPDClusterStatus): string[] {
  const taken = new Set(Object.values(dbInstanceStatus).map(it => it.polarFsHostId));
  return Array.from({ length: 21 }, (_, i) => String(5 + i)).filter(id => !taken.has(id));
}

function takePorts({ cluster, plan, site, tools, hosts }: ClusterContext): Promise<InstancePorts> {
  const enginePort = cluster.spec.netCfg?.engineStartPort;
  if (enginePort === undefined) return Promise.resolve({ ...POD_NETWORK_PORTS });
  const { external = { first: 36_000, last: 39_999 }, reserved } = site.ports;
  const owner = { namespace: plan.namespace, name: plan.name, uid: plan.uid };
  const all = hosts.all();
  const isUsed = (port: number): boolean => all.some(host => host.isPortUsed(port));
  const { client, systemNamespace } = tools;
  return takeHostPorts(client, owner, enginePort, { systemNamespace, external, reserved, isUsed });
}

interface NewInstance {
  physicalInsId: string;
  insId: string;
  insType: 'rw' | 'ro';
  ports: InstancePorts;
  hostId: string | undefined;
}

function newInstance(plan: ClusterContext['plan'], it: NewInstance): InstanceStatus {
  const { physicalInsId, insId, insType, ports, hostId } = it;
  return {
    physicalInsId,
    insId,
    insName: insId,
    insType,
    podName: podName(plan.name, physicalInsId, insId),
    podNameSpace: plan.namespace,
    installed: false,
    ...(hostId && { polarFsHostId: hostId }),
    netInfo: {
      netType: plan.hostNetwork ? 'host' : 'pod',
      workingPort: ports.engine,
      agentPort: ports.agent,
      healthPort: ports.health,
    },
  };
}
