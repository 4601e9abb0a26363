import type { MPDCluster } from '../../crds/mpdcluster.ts';
import type { AgentClient } from '../agent-api/client.ts';
import type { KubeClient } from '../kube/client.ts';
import type { EventRecorder } from '../kube/events.ts';
import type {
  ConfigMap,
  EndpointSlice,
  Lease,
  Node,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  Role,
  RoleBinding,
  Secret,
  Service,
  ServiceAccount,
} from '../kube/resources.ts';
import { isNewer, type Logger } from '../kube/types.ts';
import type { Subject } from '../pki/subject.ts';
import type { SiteSettings } from '../settings/types.ts';
import type { FlowEvent } from '../workflow/runner.ts';
import type { RawCluster } from '../kinds/mpd.ts';
import type { ClusterPlan } from './plan.ts';
import type { Hosts } from './gather/hosts.ts';
import type { Memory } from './memory.ts';
import type { ClusterInstance } from '../kinds/instances.ts';

/** What the watches know of one cluster. It may lag behind our own writes: creating finds that out, applying is harmless. */
export interface Children {
  pods: readonly Pod[];
  services: readonly Service[];
  endpointSlices: readonly EndpointSlice[];
  secrets: readonly Secret[];
  configMaps: readonly ConfigMap[];
  claims: readonly PersistentVolumeClaim[];
  budgets: readonly PodDisruptionBudget[];
  serviceAccounts: readonly ServiceAccount[];
  roles: readonly Role[];
  roleBindings: readonly RoleBinding[];
  /** The record, for display and for noticing change; decisions read it directly. */
  leases: readonly Lease[];
}

/** Certificates for engine pods and parts. */
export interface Issuer {
  /**
   * Data of the Secret as it should be, or undefined when the one there is good for a while yet.
   * @param names DNS names and addresses that the certificate must carry
   */
  secretData(request: {
    current?: Secret;
    subject: Subject;
    names: readonly string[];
  }): Promise<Record<string, string> | undefined>;
}

/** How to reach the agent of a pod. */
export interface AgentDirectory {
  /** @param address IP address of the pod */
  of(instance: ClusterInstance, address: string): AgentClient;
}

/** Everything with an effect, passed in, so that tests move the clock and kill the program between any two calls. */
export interface Tools {
  client: KubeClient;
  agents: AgentDirectory;
  issuer: Issuer;
  log: Logger;
  /** What people see in `kubectl describe`. */
  events: Pick<EventRecorder, 'record'>;
  now: () => Date;
  newPassword: () => string;
  /** Is told of each step of each operation. */
  flowEvents: (event: FlowEvent) => void;
  /** The nodes by name, from the watch. */
  node: (name: string) => Node | undefined;
  systemNamespace: string;
  settingsNamespace: string;
}

/** One look at one cluster, and the tools to change it. */
export interface ClusterContext {
  /** As it came from the API server, for writing. */
  object: RawCluster;
  cluster: MPDCluster;
  plan: ClusterPlan;
  children: Children;
  site: SiteSettings;
  hosts: Hosts;
  tools: Tools;
  memory: Memory;
  /** The plan whose objects this look has made: what it made, its copies of the watches do not show. */
  ensured?: ClusterPlan;
  /** Aborts when this look is over or the right to act is gone: to be passed to calls of agents, which know no leader. */
  signal: AbortSignal;
  /** Takes over a newer version of the cluster in the middle of a run: ids were taken, say. */
  adopt(cluster: RawCluster): void;
}

/**
 * Takes over what others have told of the cluster during this look: over what they replaced nothing could be written. A
 * new spec is for the next look, which judges it.
 */
export function catchUp(context: ClusterContext, shown: RawCluster | undefined): void {
  const { uid, generation } = context.object.metadata;
  const isSame = shown?.metadata.uid === uid && shown?.metadata.generation === generation;
  if (shown && isSame && isNewer(shown, context.object)) context.adopt(shown);
}

/** The engine pod of an instance, if there is one; a pod that is being deleted counts. */
export const podOf = (children: Children, instance: ClusterInstance): Pod | undefined =>
  children.pods.find(pod => pod.metadata.name === instance.podName);

/** Client of the agent in this pod; undefined while the pod has no address. */
export function agentOf(context: ClusterContext, instance: ClusterInstance): AgentClient | undefined {
  const address = podOf(context.children, instance)?.status?.podIP;
  return address === undefined ? undefined : context.tools.agents.of(instance, address);
}

/** The RW instance of the plan. @throws Error when the plan has none: ids were not taken yet */
export function rwInstance(plan: ClusterPlan): ClusterInstance {
  const found = plan.instances.find(instance => instance.role === 'rw');
  if (!found) throw new Error(`cluster ${plan.namespace}/${plan.name} has no instance yet`);
  return found;
}
