import type { AgentClient } from '../../agent-api/client.ts';
import { AGENT_CONFIG_ENV, parseAgentConfig, type AgentConfig } from '../../agent-api/config.ts';
import { AgentError } from '../../agent-api/errors.ts';
import { formatIncarnation, type Incarnation } from '../../ha/incarnation.ts';
import type { KubeClient } from '../../kube/client.ts';
import { KubeError } from '../../kube/errors.ts';
import { resource, RESOURCES, type Pod } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types.ts';
import type { AgentDirectory } from '../context.ts';
import { Safety, SimulatedVolume } from './simulated-data.ts';
import type { MemberParts, OperatorCalls } from './simulated-member.ts';

const BINDINGS = resource<KubeObject & { target: object }>('v1', 'Binding', 'bindings');

export interface HostOptions<M> {
  /** What a container runs. */
  newMember: (parts: MemberParts) => M;
  client: KubeClient;
  /** The engine pods as a scheduler and kubelets see them; may lag. */
  pods: () => Promise<Pod[]>;
  now: () => Date;
  /** Node for a pod that has none yet; undefined: no node takes it now. */
  nodeFor: (pod: Pod) => string | undefined;
}

interface Terminated {
  containerID: string;
  startedAt: string;
  finishedAt: string;
  exitCode: number;
  message: string;
}

/** One pod as its kubelet knows it. */
interface Running<M> {
  member?: M;
  address: string;
  containerId: string;
  startedAt: string;
  /** Nonces of its members that have ended. */
  ended: Set<string>;
  last?: Terminated;
  /** Status that was reported last. */
  told?: string;
}

/**
 * Test only: scheduler, kubelets, containers and volumes of all hosts. What they say goes through the API; what they run
 * are simulated members. Each {@link step} lets everything move on by one bit.
 */
export class SimulatedHosts<M extends OperatorCalls = OperatorCalls> implements AgentDirectory {
  readonly safety = new Safety();
  readonly volumes = new Map<string, SimulatedVolume>();
  readonly #options: HostOptions<M>;
  /** By pod UID; ended ones stay, so that a pod is never run twice. */
  readonly #pods = new Map<string, Running<M>>();
  #count = 0;

  constructor(options: HostOptions<M>) {
    this.#options = options;
  }

  /** A client of whoever is behind the address when a call is made; it makes the calls that the operator makes. */
  of(_: unknown, address: string): AgentClient {
    const call = (name: 'state' | 'account' | 'database') => async (body: never) => {
      const member = this.memberAt(address);
      if (!member) throw new AgentError('Unreachable', `agent ${address}: no route`);
      return member[name](body);
    };
    const names = ['state', 'account', 'database'] as const;
    return Object.fromEntries(names.map(name => [name, call(name)])) as unknown as AgentClient;
  }

  memberAt(address: string): M | undefined {
    return [...this.#pods.values()].find(it => it.address === address)?.member;
  }

  get members(): M[] {
    return [...this.#pods.values()].flatMap(({ member }) => member ?? []);
  }

  /** The member whose container runs in this pod. */
  memberIn(podUid: string | undefined): M | undefined {
    return this.#pods.get(podUid ?? '')?.member;
  }

  /** Has its container ended? One that cannot be told of has not. */
  hasEnded({ podUid, nonce }: Incarnation): boolean {
    return this.#pods.get(podUid)?.ended.has(nonce) ?? false;
  }

  async step(): Promise<void> {
    const pods = await this.#options.pods();
    for (const pod of pods) await this.#move(pod).catch(ignoreRace);
  }

  /** The engine container of this pod dies and is started again by its kubelet. */
  restartContainer(podUid: string): void {
    const running = this.#pods.get(podUid)!;
    running.last = this.#terminate(running);
  }

  async #move(pod: Pod): Promise<void> {
    const uid = pod.metadata.uid!;
    const running = this.#pods.get(uid);
    if (pod.metadata.deletionTimestamp) return this.#end(pod, running);
    if (!pod.spec?.nodeName) return this.#schedule(pod);
    if (!running?.member) return this.#start(pod, running);
    return this.#report(pod, running, statusOf(pod, running, this.#options.now()));
  }

  async #schedule(pod: Pod): Promise<void> {
    const { name, namespace } = pod.metadata;
    const node = this.#options.nodeFor(pod);
    if (node === undefined) return this.#unscheduled(pod);
    const target = { apiVersion: 'v1', kind: 'Node', name: node };
    await this.#options.client.create(BINDINGS, {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name, namespace },
      target,
    });
  }

  async #unscheduled({ metadata, status }: Pod): Promise<void> {
    if (status?.conditions?.some(({ type }) => type === 'PodScheduled')) return;
    const verdict = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'no node has room' };
    await this.#options.client.patchStatus(RESOURCES.pods, metadata, { phase: 'Pending', conditions: [verdict] });
  }

  async #start(pod: Pod, before: Running<M> | undefined): Promise<void> {
    const config = configOf(pod);
    const mounted = await this.#mount(pod, config);
    // The kubelet waits for claims that are not there.
    if (!mounted) return;
    const number = ++this.#count;
    const podUid = pod.metadata.uid!;
    const nonce = number.toString(16).padStart(16, '0');
    const note = {
      containerId: `containerd://${nonce}`,
      startedAt: seconds(this.#options.now()),
      node: pod.spec?.nodeName ?? '',
    };
    const incarnation = { instanceId: config.instanceId, podUid, nonce };
    const running: Running<M> = {
      ...note,
      address: before?.address ?? `10.1.${number >> 8}.${number & 255}`,
      ended: before?.ended ?? new Set(),
      ...(before?.last && { last: before.last }),
      member: this.#options.newMember({ config, incarnation, note, ...mounted, safety: this.safety }),
    };
    this.#pods.set(podUid, running);
    await this.#report(pod, running, statusOf(pod, running, this.#options.now()));
  }

  /** A claim that was deleted and made again is another volume: volumes go by the UIDs of claims. */
  async #mount(pod: Pod, { topology }: AgentConfig): Promise<Pick<MemberParts, 'own' | 'data'> | undefined> {
    const find = async (name: 'data' | 'shared'): Promise<SimulatedVolume | undefined> => {
      const claimName = pod.spec?.volumes?.find(it => it.name === name)?.persistentVolumeClaim?.claimName;
      if (claimName === undefined) return this.#volume(`emptyDir of ${pod.metadata.uid}`);
      const ref = { namespace: pod.metadata.namespace, name: claimName };
      const claim = await this.#options.client.get(RESOURCES.persistentVolumeClaims, ref);
      return claim && this.#volume(`claim ${claimName} ${claim.metadata.uid}`);
    };
    const own = await find('data');
    const data = topology === 'local' ? own : await find('shared');
    return own && data && { own, data };
  }

  #volume(id: string): SimulatedVolume {
    const found = this.volumes.get(id) ?? new SimulatedVolume(id);
    this.volumes.set(id, found);
    return found;
  }

  async #end(pod: Pod, running: Running<M> | undefined): Promise<void> {
    const { name, namespace, uid, deletionGracePeriodSeconds } = pod.metadata;
    if (running?.member) running.last = this.#terminate(running);
    if (!pod.spec?.nodeName) return;
    await this.#report(pod, running ?? neverStarted(), { phase: 'Failed', ...endOf(running?.last) });
    if (deletionGracePeriodSeconds === 0) return;
    await this.#options.client.delete(RESOURCES.pods, { name, namespace }, { uid, graceSeconds: 0 });
  }

  #terminate(running: Running<M>): Terminated {
    const { member, containerId, startedAt } = running;
    member?.stop();
    if (member) running.ended.add(member.incarnation.nonce);
    running.member = undefined;
    const finishedAt = seconds(this.#options.now());
    // The agent leaves its incarnation as the container's last words.
    const message = member ? formatIncarnation(member.incarnation) : '';
    return { containerID: containerId, startedAt, finishedAt, exitCode: 137, message };
  }

  async #report({ metadata }: Pod, running: Running<M>, status: object): Promise<void> {
    const text = JSON.stringify(status);
    if (running.told === text) return;
    await this.#options.client.patchStatus(RESOURCES.pods, metadata, status);
    running.told = text;
  }
}

const seconds = (at: Date): string => at.toISOString().replace(/\.\d+Z$/, 'Z');
const neverStarted = (): Running<never> => ({ address: '', containerId: '', startedAt: '', ended: new Set() });

function configOf({ spec }: Pod): AgentConfig {
  const engine = spec?.containers.find(container => container.name === 'engine');
  return parseAgentConfig(engine?.env?.find(({ name }) => name === AGENT_CONFIG_ENV)?.value ?? '');
}

function statusOf(
  pod: Pod,
  { member, address, containerId, startedAt, last }: Running<OperatorCalls>,
  now: Date,
): object {
  const isReady = member?.isReady ?? false;
  const before = pod.status?.conditions?.find(({ type }) => type === 'Ready');
  const status = isReady ? 'True' : 'False';
  const lastTransitionTime = before?.status === status ? before.lastTransitionTime : seconds(now);
  const container = {
    name: 'engine',
    image: 'engine',
    imageID: '',
    ready: isReady,
    restartCount: last ? 1 : 0,
    containerID: containerId,
    state: { running: { startedAt } },
    lastState: last ? { terminated: last } : {},
  };
  return {
    phase: 'Running',
    podIP: address,
    podIPs: [{ ip: address }],
    hostIP: '10.0.0.1',
    conditions: [{ type: 'Ready', status, lastTransitionTime }],
    containerStatuses: [container],
  };
}

const endOf = (last: Terminated | undefined): object =>
  last
    ? {
        containerStatuses: [
          {
            name: 'engine',
            image: 'engine',
            imageID: '',
            ready: false,
            restartCount: 0,
            containerID: last.containerID,
            state: { terminated: last },
            lastState: {},
          },
        ],
      }
    : {};

/** Somebody was faster, or what was looked at is old: the next step looks again. */
export function ignoreRace(error: unknown): void {
  if (error instanceof KubeError && (error.status === 404 || error.status === 409)) return;
  throw error;
}
