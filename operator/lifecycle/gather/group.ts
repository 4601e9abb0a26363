import type { AgentState } from '../../agent-api/state.ts';
import type { Attestation, Evidence, MemberReport, NodeView, PodView } from '../../ha/evidence.ts';
import type { GroupView } from '../../ha/decide.ts';
import { parseIncarnation } from '../../ha/incarnation.ts';
import { ATTESTATION_ANNOTATION, parseAttestation } from '../../ha/ladder.ts';
import { parseRecord, type LeaseObject } from '../../ha/lease.ts';
import type { GroupRecord } from '../../ha/record.ts';
import { RESOURCES, type Pod } from '../../kube/resources.ts';
import { rwService } from '../../model/names.ts';
import { endpointsOf, INCARNATION_ANNOTATION } from '../builders/services.ts';
import { podOf, rwInstance, type ClusterContext } from '../context.ts';
import type { InstancePlan } from '../plan.ts';
import { readLease } from './record.ts';
import { isOutOfService } from './nodes.ts';
import { isLeaving, runningContainer, terminatedContainers } from './pods.ts';

/** An agent that does not answer this fast is counted silent for this look, ms. */
const ASK_LIMIT_MS = 2_000;

export interface GatheredGroup {
  view: GroupView;
  lease?: LeaseObject;
}

/**
 * Reads what a decision about the writer may look at. Order matters: the record first, then the agents, so that an
 * answer is known to be younger than the epoch it is judged by.
 */
export async function gatherGroup(context: ClusterContext, wanted: GroupView['wanted']): Promise<GatheredGroup> {
  const { cluster, plan, tools } = context;
  const lease = await readLease(context);
  const record = lease && parseRecord(lease);
  const reports = await askAll(context, record?.epoch ?? 0);
  const evidence: Evidence = {
    reports,
    pod: await holderPod(context, record),
    node: await formerNode(context, record),
    attestation: attestationOf(context),
  };
  const view: GroupView = {
    clusterUid: plan.uid,
    wanted,
    first: rwInstance(plan).id,
    established: Object.values(cluster.status.dbInstanceStatus ?? {}).some(it => it.installed),
    ...(record && { recorded: { record, version: lease.metadata.resourceVersion ?? '' } }),
    evidence,
    published: publishedIncarnation(context),
    now: tools.now().toISOString(),
  };
  return { view, lease };
}

async function askAll(context: ClusterContext, askedAtEpoch: number): Promise<MemberReport[]> {
  const asked = context.plan.instances.map(instance => ask(context, instance, askedAtEpoch));
  return (await Promise.all(asked)).filter(report => report !== undefined);
}

async function ask(
  context: ClusterContext,
  instance: InstancePlan,
  askedAtEpoch: number,
): Promise<MemberReport | undefined> {
  const pod = podOf(context.children, instance);
  if (!pod?.status?.podIP) return undefined;
  try {
    const agent = context.tools.agents.of(instance, pod.status.podIP);
    const state = await agent.state({ limitMs: ASK_LIMIT_MS });
    context.memory.engineVersion = state.engine.version ?? context.memory.engineVersion;
    return reportOf(state, pod, askedAtEpoch);
  } catch (error) {
    context.tools.log.debug('agent does not answer', { instance: instance.id, error });
    return undefined;
  }
}

function reportOf(state: AgentState, pod: Pod, askedAtEpoch: number): MemberReport {
  const incarnation = parseIncarnation(state.incarnation);
  if (!incarnation) throw new Error(`agent of pod ${pod.metadata.name} names itself "${state.incarnation}"`);
  const isOfThisPod = incarnation.podUid === pod.metadata.uid;
  const container = isOfThisPod ? runningContainer(pod) : undefined;
  return {
    incarnation,
    askedAtEpoch,
    leaving: !isOfThisPod || isLeaving(pod),
    ...(container && { container }),
    volume: state.volume,
    ...(state.highest && { highestEpoch: state.highest.epoch }),
    engine: {
      state: state.process.state,
      ...(state.process.role && { role: state.process.role }),
      acceptsWrites: state.facts?.acceptsWrites ?? false,
      problem: state.engine.problem,
    },
    ...(state.stopped && { stopped: state.stopped }),
  };
}

/** The pod that the holder, or else the former one, runs in: read directly, since its absence lets a holder be revoked. */
async function holderPod(context: ClusterContext, record: GroupRecord | undefined): Promise<PodView | undefined> {
  const who = record?.holder ?? record?.former?.incarnation;
  const instance = who && context.plan.instances.find(it => it.id === who.instanceId);
  if (!who || !instance) return undefined;
  const { client } = context.tools;
  const pod = await client.get(RESOURCES.pods, { namespace: context.plan.namespace, name: instance.podName });
  if (pod?.metadata.uid !== who.podUid) return undefined;
  return { uid: who.podUid, leaving: isLeaving(pod), terminated: terminatedContainers(pod) };
}

async function formerNode(context: ClusterContext, record: GroupRecord | undefined): Promise<NodeView | undefined> {
  if (!record) return undefined;
  const { holder, grant, former, fence } = record;
  const name = (holder ? grant : former?.grant)?.node;
  if (name === undefined) return undefined;
  const outOfService = isOutOfService(context.tools.node(name));
  // The node's Lease is asked for only while proof is missing.
  if (holder ?? fence) return { outOfService };
  const lease = await context.tools.client.get(RESOURCES.leases, { namespace: 'kube-node-lease', name });
  return { outOfService, leaseVersion: lease?.metadata.resourceVersion };
}

function attestationOf({ cluster, tools }: ClusterContext): Attestation | undefined {
  const value = cluster.metadata.annotations?.[ATTESTATION_ANNOTATION];
  return value === undefined ? undefined : parseAttestation(value, tools.now().toISOString());
}

function publishedIncarnation({ children, plan }: ClusterContext): GroupView['published'] {
  const slice = children.endpointSlices.find(it => it.metadata.name === rwService(plan.name));
  if (endpointsOf(slice).length === 0) return undefined;
  return parseIncarnation(slice?.metadata.annotations?.[INCARNATION_ANNOTATION] ?? '');
}
