import type { Attestation, HeardReport, NodeView, PodView, Probe } from '../evidence.ts';
import { formatIncarnation, type Incarnation } from '../incarnation.ts';
import type { Authority } from '../leadership.ts';
import type { GroupMemory } from '../memory.ts';
import type { GroupRecord } from '../record.ts';
import type { HaOptions } from '../options.ts';
import type { CommandOutcome, GroupView, InstanceView, Recorded } from '../view.ts';
import { isFresh } from '../sight.ts';
import type { Topology } from '../../model/roles.ts';
import type { Stored } from './api-server.ts';
import type { ApiServer } from './api-server.ts';
import { SETTINGS } from './commander.ts';
import type { Elector } from './elector.ts';
import type { Host, Network } from './network.ts';
import type { Process } from './process.ts';
import type { VirtualTime } from './time.ts';

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

/** What a cluster manager knows itself. */
export interface Knowledge {
  readonly now: number;
  readonly recorded?: Recorded;
  readonly reports: ReadonlyMap<string, HeardReport>;
  readonly elector: Elector;
  readonly authority: Authority;
  readonly lastAnswerAt?: number;
  readonly memory: GroupMemory;
  readonly commander: { readonly outcomes: readonly CommandOutcome[] };
}

export interface ViewWorld {
  time: VirtualTime;
  api: ApiServer;
  site: Site;
  iso: () => string;
  network: Network;
  agentOf: (incarnation: Incarnation) => { host: Host; process: Process } | undefined;
}

/** The control plane calls a node's state unknown after so long, a tenth of the true time, ms. */
const NODE_SILENT_MS = 4000;

/** One group as a cluster manager sees it: its own record, what it heard, and caches that may lag. */
export function viewOf(manager: Knowledge, world: ViewWorld): GroupView {
  const { api, site, time, iso } = world;
  const cached = api.cached;
  const node = nodeOf(manager.recorded?.record);
  const { request } = cached;
  return {
    ...site,
    first: '1',
    established: cached.record !== undefined,
    settingsHash: SETTINGS,
    recorded: manager.recorded,
    evidence: {
      reports: [...manager.reports.values()],
      pods: cached.pods.map(toPodView),
      node: toNodeView(cached, node, time.now),
      attestation: site.attestation,
      probes: probesOf(manager, world),
    },
    published: cached.published,
    leader: {
      since: manager.elector.leadership?.acquiredAt ?? manager.now,
      term: manager.authority.term,
      lastAnswerAt: manager.lastAnswerAt,
    },
    memory: manager.memory,
    commands: manager.commander.outcomes,
    request: request?.outcome === undefined ? request : undefined,
    isHeld: false,
    now: manager.now,
    at: iso(),
  };
}

/** What members find that are asked to reach a silent RW. To ask and to try takes no time here. */
function probesOf({ recorded, reports, now }: Knowledge, { site, network, agentOf }: ViewWorld): Probe[] {
  const about = recorded?.record.holder;
  const rw = about && agentOf(about);
  const isHeard = (it: HeardReport | undefined): it is HeardReport =>
    it !== undefined && isFresh({ now, options: site.options }, it);
  if (!about || isHeard(reports.get(formatIncarnation(about)))) return [];
  return [...reports.values()].filter(isHeard).flatMap(({ incarnation: by }) => {
    const member = agentOf(by);
    if (!member?.process.isRunning) return [];
    const isLinked = rw && network.leads(member.host, rw.host) && network.leads(rw.host, member.host);
    return [{ by, about, reached: isLinked === true && rw.process.isRunning, at: now }];
  });
}

const nodeOf = (record: GroupRecord | undefined): string | undefined => (record?.grant ?? record?.former?.grant)?.node;

const toPodView = ({ uid, leaving, terminated }: Stored['pods'][number]): PodView => ({ uid, leaving, terminated });

function toNodeView({ nodes }: Stored, name: string | undefined, now: number): NodeView | undefined {
  const node = name === undefined ? undefined : nodes[name];
  return (
    node && {
      leaseVersion: String(node.leaseVersion),
      outOfService: node.outOfService,
      isSilent: now > node.renewedAt + NODE_SILENT_MS,
    }
  );
}
