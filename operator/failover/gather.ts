import type { Attestation, GroupEvidence, HeardReport, NodeView, Probe } from '../ha/evidence.ts';
import type { Incarnation } from '../ha/incarnation.ts';
import { ATTESTATION_ANNOTATION, parseAttestation } from '../ha/ladder.ts';
import type { GroupMemory } from '../ha/memory.ts';
import { DEFAULT_OPTIONS, type HaOptions } from '../ha/options.ts';
import type { GroupRecord } from '../ha/record.ts';
import type { CommandOutcome, GroupView, HaRequest, InstanceView, LeaderView, Recorded } from '../ha/view.ts';
import { isLeaving } from '../kinds/pods.ts';
import type { Node, Pod } from '../kube/resources.ts';
import { activeHold } from './hold.ts';
import { isOutOfService, isSilent, terminatedContainers } from './pods.ts';
import { hasStreaming, type GroupTarget } from './target.ts';
import type { ClusterInstance } from '../kinds/instances.ts';

/** What is known of a group at one moment, from caches, streams and this process's own memory. */
export interface Known {
  target: GroupTarget;
  recorded: Recorded | undefined;
  reports: readonly HeardReport[];
  probes: readonly Probe[];
  pods: readonly Pod[];
  node: (name: string) => Node | undefined;
  /** Lease of the node that the former holder ran on, read directly. */
  nodeLease: { name: string; version: string | undefined } | undefined;
  published: Incarnation | undefined;
  leader: LeaderView;
  memory: GroupMemory;
  commands: readonly CommandOutcome[];
  request: HaRequest | undefined;
  /** Monotonic, ms. */
  now: number;
  date: Date;
}

/** The view that decisions are made from. */
export function viewOf(known: Known): GroupView {
  const { target, recorded, request, published, date } = known;
  const { cluster } = target;
  return {
    clusterUid: target.uid,
    wanted: target.wanted,
    first: target.instances[0]?.id ?? '',
    established: Object.values(cluster.status.dbInstanceStatus ?? {}).some(it => it.installed),
    topology: target.topology,
    isStreaming: hasStreaming(target),
    options: optionsOf(cluster.spec.ha),
    instances: target.instances.map(it => instanceView(it, known)),
    settingsHash: target.settingsHash,
    ...(recorded && { recorded }),
    evidence: evidenceOf(known),
    ...(published && { published }),
    leader: known.leader,
    memory: known.memory,
    commands: known.commands,
    ...(request && { request }),
    isHeld: activeHold(cluster.metadata.annotations, date) !== undefined,
    now: known.now,
    at: date.toISOString(),
  };
}

/** What the cluster chose; its schema has checked the bounds. */
export const optionsOf = (chosen: Partial<HaOptions>): HaOptions => ({ ...DEFAULT_OPTIONS, ...chosen });

function evidenceOf(known: Known): GroupEvidence {
  const { reports, recorded } = known;
  return {
    reports,
    pods: known.pods.map(pod => ({
      uid: pod.metadata.uid ?? '',
      leaving: isLeaving(pod),
      terminated: terminatedContainers(pod),
    })),
    node: nodeView(recorded?.record, known),
    attestation: attestationOf(known),
    probes: known.probes,
  };
}

function instanceView({ id, role, podName }: ClusterInstance, { pods, node }: Known): InstanceView {
  const at = pods.find(pod => pod.metadata.name === podName)?.spec?.nodeName;
  const isCordoned = at !== undefined && node(at)?.spec?.unschedulable === true;
  return { id, follows: role === 'standby' ? 'standby' : 'ro', isLeaving: isCordoned };
}

/** The node that the holder runs on, or else the former one did. */
function nodeView(record: GroupRecord | undefined, known: Known): NodeView | undefined {
  const name = (record?.grant ?? record?.former?.grant)?.node;
  if (name === undefined) return undefined;
  const seen = known.node(name);
  const lease = known.nodeLease?.name === name ? { leaseVersion: known.nodeLease.version } : {};
  return { outOfService: isOutOfService(seen), isSilent: isSilent(seen), ...lease };
}

function attestationOf({ target, date }: Known): Attestation | undefined {
  const value = target.cluster.metadata.annotations?.[ATTESTATION_ANNOTATION];
  return value === undefined ? undefined : parseAttestation(value, date.toISOString());
}
