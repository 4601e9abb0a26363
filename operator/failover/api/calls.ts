import type { MPDClusterStatus } from '../../../crds/mpdcluster.ts';
import type { User } from '../../http-api/authorize.ts';
import { ApiError } from '../../http-api/errors.ts';
import { parseInput } from '../../http-api/input.ts';
import type { KubeClient } from '../../kube/client.ts';
import { RESOURCES } from '../../kube/resources.ts';
import type { ObjectRef } from '../../kube/types.ts';
import { API_GROUP, switchLog } from '../../model/names.ts';
import { readSwitches } from '../history.ts';
import { activeHold, formatHold, HOLD_ANNOTATION } from '../hold.ts';
import { MPD_CLUSTERS, MPD_OPERATIONS, type RawCluster } from '../../kinds/mpd.ts';
import { enableBody, haModeBody, statusQuery, switchoverBody, type CallName } from './routes.ts';
import { endpointOf, findInstance, visualTopology, type ManagerPlace } from './topology.ts';

export interface CallTools {
  client: Pick<KubeClient, 'get' | 'create' | 'patchMerge'>;
  now: () => Date;
  /** Release of this program. */
  version: string;
  /** The cluster managers as they are known: who leads, who stands by. */
  managers: () => Promise<ManagerPlace[]>;
}

export interface CallRequest {
  ref: ObjectRef & { namespace: string };
  user: User;
  query: unknown;
  body: unknown;
}

/**
 * What each call does. All of it is read from and written to the API server, so that every replica can answer, leader or
 * not, and nothing that was answered is lost with a process.
 */
export const CALLS: Readonly<Record<CallName, (tools: CallTools, request: CallRequest) => Promise<unknown>>> = {
  async status(tools, request) {
    const { type } = parseInput(statusQuery, request.query);
    const cluster = await clusterOf(tools, request);
    switch (type) {
      case 'visual':
        return visualTopology(cluster.status ?? {}, await tools.managers(), holdOf(cluster, tools) !== undefined);
      case 'cm':
        return { cluster_manager: await tools.managers() };
      case 'mode':
        return modeOf(cluster, tools);
      case 'none':
        return { ...cluster.status, ...modeOf(cluster, tools) };
    }
  },

  version: tools => Promise.resolve({ version: tools.version, plugins: [] }),

  async switchover(tools, request) {
    const { from, to, force } = parseInput(switchoverBody, request.body);
    if (force) {
      const message = 'forcing may lose rows: make an MPDOperation of type forceFailover, which states the loss';
      throw new ApiError(422, 'ForceRefused', message, { field: 'force' });
    }
    const { status = {} } = await clusterOf(tools, request);
    const target = instanceOf(status, 'to', to);
    if (from !== undefined && instanceOf(status, 'from', from) !== status.leaderInstanceId) {
      const rw = endpointOf(status.dbInstanceStatus?.[status.leaderInstanceId ?? ''] ?? {}) ?? 'nobody';
      throw new ApiError(409, 'NotTheRw', `${from} is not the RW, which is ${status.leaderInstanceId ?? ''} (${rw})`);
    }
    return { operation: await makeSwitchover(tools, request, target) };
  },

  async enable(tools, request) {
    const { enable, seconds } = parseInput(enableBody, request.body);
    return hold(tools, request, enable ? undefined : seconds);
  },

  haMode: async (tools, request) => modeOf(await clusterOf(tools, request), tools),

  async setHaMode(tools, request) {
    const { mode, seconds } = parseInput(haModeBody, request.body);
    return hold(tools, request, mode === 'auto' ? undefined : seconds);
  },

  async switchLog({ client }, { ref }) {
    const map = await client.get(RESOURCES.configMaps, { namespace: ref.namespace, name: switchLog(ref.name) });
    return { LogItems: readSwitches(map) };
  },
};

async function clusterOf({ client }: CallTools, { ref }: CallRequest): Promise<RawCluster> {
  const found = await client.get(MPD_CLUSTERS, ref);
  if (found) return found;
  throw new ApiError(404, 'NotFound', `there is no MPDCluster ${ref.name} in namespace ${ref.namespace}`);
}

function instanceOf(status: MPDClusterStatus, field: string, text: string): string {
  const found = findInstance(status, text);
  if (found !== undefined) return found;
  const known = Object.entries(status.dbInstanceStatus ?? {}).map(
    ([id, it]) => `${id} (${endpointOf(it) ?? 'no address'})`,
  );
  throw new ApiError(422, 'UnknownInstance', `${text} is no instance; known: ${known.join(', ')}`, { field });
}

async function makeSwitchover({ client }: CallTools, { ref, user }: CallRequest, instance: string): Promise<string> {
  const { apiVersion, kind } = MPD_OPERATIONS;
  const made = await client.create(MPD_OPERATIONS, {
    apiVersion,
    kind,
    metadata: { name: '', generateName: `${ref.name}-switch-`, namespace: ref.namespace, annotations: askedBy(user) },
    spec: { target: { name: ref.name }, type: 'switchRw', switchRw: { instance }, requestedBy: 'user' },
  });
  return made.metadata.name;
}

/** Who asked, for whoever reads the operation later. */
const askedBy = ({ username }: User): Record<string, string> => ({ [`${API_GROUP}/asked-by`]: username });

/** @param seconds undefined ends the hold */
async function hold(tools: CallTools, { ref, user }: CallRequest, seconds: number | undefined): Promise<object> {
  const until = seconds === undefined ? undefined : new Date(tools.now().getTime() + seconds * 1000);
  const value = until ? formatHold({ until, by: user.username }) : null;
  const metadata = { annotations: { [HOLD_ANNOTATION]: value } };
  await tools.client.patchMerge(MPD_CLUSTERS, ref, { metadata });
  return until ? { mode: 'manual', until: until.toISOString(), by: user.username } : { mode: 'auto' };
}

const holdOf = ({ metadata }: RawCluster, { now }: CallTools): ReturnType<typeof activeHold> =>
  activeHold(metadata.annotations, now());

function modeOf(cluster: RawCluster, tools: CallTools): { mode: 'auto' | 'manual'; until?: string; by?: string } {
  const held = holdOf(cluster, tools);
  return held ? { mode: 'manual', until: held.until.toISOString(), by: held.by } : { mode: 'auto' };
}
