import type { AgentClient } from '../../agent-api/client.ts';
import { AGENT_CONFIG_ENV, parseAgentConfig, type AgentConfig } from '../../agent-api/config.ts';
import { AgentError } from '../../agent-api/errors.ts';
import { parseRecord, type LeaseObject } from '../../ha/lease.ts';
import type { KubeClient } from '../../kube/client.ts';
import { KubeError } from '../../kube/errors.ts';
import { resource, RESOURCES, type Pod } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types.ts';
import type { AgentDirectory } from '../context.ts';
import { SimulatedAgent } from './simulated-agent.ts';
import { Safety, SimulatedVolume } from './simulated-data.ts';

const BINDINGS = resource<KubeObject & { target: object }>('v1', 'Binding', 'bindings');

export interface HostOptions {
  client: KubeClient;
  /** The engine pods as a scheduler and kubelets see them; may lag. */
  pods: () => Promise<Pod[]>;
  now: () => Date;
  /** Node for a pod that has none yet. */
  nodeFor: (pod: Pod) => string;
}

interface Terminated {
  containerID: string;
  startedAt: string;
  finishedAt: string;
  exitCode: number;
  message: string;
}

/** One pod as its kubelet knows it. */
interface Running {
  agent?: SimulatedAgent;
  address: string;
  containerId: string;
  startedAt: string;
  last?: Terminated;
  /** Status that was reported last. */
  told?: string;
}

/**
 * Test only: scheduler, kubelets, containers and volumes of all hosts. What they say goes through the API; what they run
 * are simulated agents. Each {@link step} lets everything move on by one bit.
 */
export class SimulatedHosts implements AgentDirectory {
  readonly safety = new Safety();
  readonly volumes = new Map<string, SimulatedVolume>();
  readonly #options: HostOptions;
  /** By pod UID; ended ones stay, so that a pod is never run twice. */
  readonly #pods = new Map<string, Running>();
  #count = 0;

  constructor(options: HostOptions) {
    this.#options = options;
  }

  /** A client of whoever is behind the address when a call is made. */
  of(_: unknown, address: string): AgentClient {
    const call = (name: keyof AgentClient) => async (body: never) => {
      const agent = this.#agentAt(address);
      if (!agent) throw new AgentError('Unreachable', `agent ${address}: no route`);
      return agent[name](body);
    };
    const names = ['state', 'task', 'install', 'start', 'promote', 'demote', 'stop', 'restart'] as const;
    const quick = ['settings', 'slots', 'account', 'database'] as const;
    return Object.fromEntries([...names, ...quick].map(name => [name, call(name)])) as unknown as AgentClient;
  }

  async step(): Promise<void> {
    const pods = await this.#options.pods();
    for (const pod of pods) await this.#move(pod).catch(ignoreRace);
    for (const { agent } of this.#pods.values()) await agent?.step();
  }

  /** The engine container of this pod dies and is started again by its kubelet. */
  restartContainer(podUid: string): void {
    const running = this.#pods.get(podUid)!;
    running.last = this.#terminate(running);
    running.agent = undefined;
  }

  #agentAt = (address: string): SimulatedAgent | undefined =>
    [...this.#pods.values()].find(it => it.address === address)?.agent;

  async #move(pod: Pod): Promise<void> {
    const uid = pod.metadata.uid!;
    const running = this.#pods.get(uid);
    if (pod.metadata.deletionTimestamp) return this.#end(pod, running);
    if (!pod.spec?.nodeName) return this.#schedule(pod);
    if (!running?.agent) return this.#start(pod, running);
    return this.#report(pod, running, statusOf(pod, running, this.#options.now()));
  }

  async #schedule(pod: Pod): Promise<void> {
    const { name, namespace } = pod.metadata;
    const target = { apiVersion: 'v1', kind: 'Node', name: this.#options.nodeFor(pod) };
    await this.#options.client.create(BINDINGS, {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name, namespace },
      target,
    });
  }

  async #start(pod: Pod, before: Running | undefined): Promise<void> {
    const config = configOf(pod);
    const mounted = await this.#mount(pod, config);
    // The kubelet waits for claims that are not there.
    if (!mounted) return;
    const number = ++this.#count;
    const podUid = pod.metadata.uid!;
    const nonce = number.toString(16).padStart(16, '0');
    const running: Running = {
      address: before?.address ?? `10.1.${number >> 8}.${number & 255}`,
      containerId: `containerd://${nonce}`,
      startedAt: seconds(this.#options.now()),
      ...(before?.last && { last: before.last }),
      agent: new SimulatedAgent({
        config,
        incarnation: { instanceId: config.instanceId, podUid, nonce },
        ...mounted,
        around: {
          safety: this.safety,
          now: this.#options.now,
          readRecord: at => this.#readRecord(at),
          agentAt: this.#agentAt,
        },
      }),
    };
    this.#pods.set(podUid, running);
    await this.#report(pod, running, statusOf(pod, running, this.#options.now()));
  }

  /** A claim that was deleted and made again is another volume: volumes go by the UIDs of claims. */
  async #mount(
    pod: Pod,
    { topology }: AgentConfig,
  ): Promise<{ own: SimulatedVolume; data: SimulatedVolume } | undefined> {
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

  async #end(pod: Pod, running: Running | undefined): Promise<void> {
    const { name, namespace, uid, deletionGracePeriodSeconds } = pod.metadata;
    if (running?.agent) {
      running.last = this.#terminate(running);
      running.agent = undefined;
    }
    if (!pod.spec?.nodeName) return;
    await this.#report(pod, running ?? neverStarted(), { phase: 'Failed', ...endOf(running?.last) });
    if (deletionGracePeriodSeconds === 0) return;
    await this.#options.client.delete(RESOURCES.pods, { name, namespace }, { uid, graceSeconds: 0 });
  }

  #terminate({ agent, containerId, startedAt }: Running): Terminated {
    agent?.kill();
    const finishedAt = seconds(this.#options.now());
    // The agent leaves its incarnation as the container's last words.
    return { containerID: containerId, startedAt, finishedAt, exitCode: 137, message: agent?.incarnation ?? '' };
  }

  async #report({ metadata }: Pod, running: Running, status: object): Promise<void> {
    const text = JSON.stringify(status);
    if (running.told === text) return;
    await this.#options.client.patchStatus(RESOURCES.pods, metadata, status);
    running.told = text;
  }

  async #readRecord({ namespace, leaseName }: AgentConfig['record']) {
    const lease = await this.#options.client.get(RESOURCES.leases, { namespace, name: leaseName });
    return lease && parseRecord(lease as unknown as LeaseObject);
  }
}

const seconds = (at: Date): string => at.toISOString().replace(/\.\d+Z$/, 'Z');
const neverStarted = (): Running => ({ address: '', containerId: '', startedAt: '' });

function configOf({ spec }: Pod): AgentConfig {
  const engine = spec?.containers.find(container => container.name === 'engine');
  return parseAgentConfig(engine?.env?.find(({ name }) => name === AGENT_CONFIG_ENV)?.value ?? '');
}

function statusOf(pod: Pod, { agent, address, containerId, startedAt, last }: Running, now: Date): object {
  const isReady = agent?.isReady ?? false;
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
function ignoreRace(error: unknown): void {
  if (error instanceof KubeError && (error.status === 404 || error.status === 409)) return;
  throw error;
}
