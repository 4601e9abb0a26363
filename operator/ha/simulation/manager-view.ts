import type { Attestation, NodeView, PodView } from '../evidence.ts';
import type { GroupRecord } from '../record.ts';
import type { HaOptions } from '../options.ts';
import type { GroupView, InstanceView } from '../view.ts';
import type { Topology } from '../../model/roles.ts';
import type { Stored } from './api-server.ts';
import type { Manager, ManagerWorld } from './manager.ts';

/** What the cluster is to be; people and faults change it. */
export interface Site {
  clusterUid: string;
  topology: Topology;
  isStreaming: boolean;
  options: HaOptions;
  instances: readonly InstanceView[];
  wanted: 'running' | 'stopped';
  attestation?: Attestation;
}

/** One group as a cluster manager sees it: its own record, what it heard, and caches that may lag. */
export function viewOf(manager: Manager, { api, site, iso }: ManagerWorld): GroupView {
  const cached = api.cached;
  const node = nodeOf(manager.recorded?.record);
  const { request } = cached;
  return {
    ...site,
    first: '1',
    established: cached.record !== undefined,
    settingsHash: 'settings',
    recorded: manager.recorded,
    evidence: {
      reports: [...manager.reports.values()],
      pods: cached.pods.map(toPodView),
      node: toNodeView(cached, node),
      attestation: site.attestation,
      probes: [],
    },
    published: cached.published,
    leader: {
      since: manager.elector.leadership?.acquiredAt ?? manager.now,
      term: manager.authority.term,
      lastAnswerAt: manager.lastAnswerAt,
    },
    memory: manager.memory,
    commands: [...manager.commands.values()],
    request: request?.outcome === undefined ? request : undefined,
    isHeld: false,
    now: manager.now,
    at: iso(),
  };
}

const nodeOf = (record: GroupRecord | undefined): string | undefined => (record?.grant ?? record?.former?.grant)?.node;

const toPodView = ({ uid, leaving, terminated }: Stored['pods'][number]): PodView => ({ uid, leaving, terminated });

function toNodeView({ nodes }: Stored, name: string | undefined): NodeView | undefined {
  const node = name === undefined ? undefined : nodes[name];
  return node && { leaseVersion: String(node.leaseVersion), outOfService: node.outOfService };
}
