import type { TerminatedContainer } from '../evidence.ts';
import { formatIncarnation, type Incarnation } from '../incarnation.ts';
import type { GrantNote } from '../record.ts';
import type { ApiServer, PodObject } from './api-server.ts';
import { API, type Host, type Network } from './network.ts';
import { Process, type HostClock } from './process.ts';
import type { VirtualTime } from './time.ts';

/** What runs in the engine container of a pod: PID 1 with the agent, a guard, and what they start. */
export interface Container {
  readonly incarnation: Incarnation;
  readonly note: GrantNote;
  readonly isAlive: boolean;
  /** SIGTERM. */
  terminate(): void;
  /** PID 1 ends and takes everything with it. */
  end(): void;
  /** All its processes, for a host that freezes. */
  stop(reason: string): void;
  continue(reason: string): void;
}

/** A pod as its kubelet knows it. */
interface LocalPod {
  pod: PodObject;
  container?: Container;
  ended?: TerminatedContainer;
  /** Deleted from under the kubelet, or being deleted. */
  isLeaving: boolean;
  /** Nothing of it will ever run again. */
  isOver: boolean;
  isStarting: boolean;
  /** Something that the API server has not been told. */
  isDirty: boolean;
}

export interface KubeletWorld {
  time: VirtualTime;
  network: Network;
  api: ApiServer;
  startContainer: (pod: PodObject, machine: Machine) => Container;
  iso: () => string;
}

const SYNC_MS = 500;
/** Ten times as often as in truth, as is the time until a node counts as silent: schedules are short. */
const LEASE_MS = 1000;
const GRACE_MS = 5_000;
/** The kubelet leaves the processes of a force-deleted pod alone for so long. */
const FORCED_GRACE_MS = 2_000;
const RESTART_MS = 700;

const newLocal = (pod: PodObject): LocalPod => ({
  pod,
  isLeaving: false,
  isOver: false,
  isStarting: false,
  isDirty: false,
});

/** One host with its clock and kubelet. */
export class Machine {
  readonly name: Host;
  readonly clock: HostClock;
  isOn = true;
  readonly #world: KubeletWorld;
  readonly #pods = new Map<string, LocalPod>();
  #kubelet: Process;

  constructor(name: Host, clock: HostClock, world: KubeletWorld) {
    this.name = name;
    this.clock = clock;
    this.#world = world;
    this.#kubelet = this.#startKubelet();
  }

  get containers(): Container[] {
    return [...this.#pods.values()].flatMap(({ container }) => (container?.isAlive ? [container] : []));
  }

  /** A pod that runs here from the beginning of the world. */
  adopt(pod: PodObject): Container {
    const local: LocalPod = newLocal(pod);
    this.#pods.set(pod.uid, local);
    local.container = this.#world.startContainer(pod, this);
    return local.container;
  }

  stopKubelet(): void {
    this.#kubelet.die();
  }

  startKubelet(): void {
    if (this.isOn && !this.#kubelet.isAlive) this.#kubelet = this.#startKubelet();
  }

  powerOff(): void {
    this.isOn = false;
    this.#kubelet.die();
    for (const it of this.containers) it.end();
  }

  powerOn(): void {
    this.isOn = true;
    this.startKubelet();
  }

  freeze(): void {
    this.#kubelet.stop('frozen');
    for (const it of this.containers) it.stop('frozen');
  }

  thaw(): void {
    for (const it of this.containers) it.continue('frozen');
    this.#kubelet.continue('frozen');
  }

  /** The agent of a container ended, and the container with it. */
  onEnd(container: Container): void {
    for (const local of this.#pods.values()) {
      if (local.container !== container) continue;
      local.container = undefined;
      local.ended = {
        containerId: container.note.containerId,
        startedAt: container.note.startedAt,
        finishedAt: this.#world.iso(),
        message: formatIncarnation(container.incarnation),
      };
      local.isDirty = true;
    }
  }

  #startKubelet(): Process {
    const kubelet = new Process(this.#world.time, this.clock);
    kubelet.every(SYNC_MS, 50, () => this.#sync());
    kubelet.every(LEASE_MS, 10, () => this.#renew());
    // What the one before had begun is begun again.
    for (const local of this.#pods.values()) {
      local.isStarting = false;
      if (local.isLeaving) kubelet.after(GRACE_MS, () => local.container?.end());
    }
    return kubelet;
  }

  #sync(): void {
    if (this.#isLinked) this.#learn();
    for (const local of this.#pods.values()) this.#care(local);
    if (this.#isLinked) for (const local of this.#pods.values()) if (local.isDirty) this.#post(local);
  }

  get #isLinked(): boolean {
    const { network, api } = this.#world;
    return api.isUp && network.leads(this.name, API) && network.leads(API, this.name);
  }

  #learn(): void {
    const pods = this.#world.api.cached.pods.filter(it => it.node === this.name);
    for (const pod of pods) {
      const local = this.#pods.get(pod.uid);
      // One that comes back after it was deleted (etcd restored) begins anew.
      if (!local || (local.isOver && !pod.leaving)) this.#pods.set(pod.uid, newLocal(pod));
      else if (pod.leaving) this.#leave(local, GRACE_MS);
    }
    for (const [uid, local] of this.#pods) {
      if (pods.some(it => it.uid === uid)) continue;
      this.#leave(local, FORCED_GRACE_MS);
      if (!local.container && local.isOver) this.#pods.delete(uid);
    }
  }

  #leave(local: LocalPod, graceMs: number): void {
    if (local.isLeaving) return;
    local.isLeaving = true;
    local.container?.terminate();
    this.#kubelet.after(graceMs, () => local.container?.end());
  }

  #care(local: LocalPod): void {
    if (local.container || local.isOver || local.isStarting) return;
    if (local.isLeaving) {
      local.isOver = local.isDirty = true;
      return;
    }
    local.isStarting = true;
    this.#kubelet.after(local.ended ? RESTART_MS : 100, () => {
      local.isStarting = false;
      if (local.isLeaving) return;
      local.container = this.#world.startContainer(local.pod, this);
      local.isDirty = true;
    });
  }

  /** Writes the status; one that is lost on the way is written again. */
  #post(local: LocalPod): void {
    const { container } = local;
    this.#world.api.call(
      { process: this.#kubelet, host: this.name },
      {
        writes: 'nothing',
        limitMs: 400,
        work: api => postStatus(api, local),
        done: answer => {
          if (answer !== 'none' && local.container === container) local.isDirty = false;
        },
      },
    );
  }

  /** What somebody else wrote into a status is overwritten by whoever lives to renew the Lease. */
  #renew(): void {
    const name = this.name;
    this.#world.api.call(
      { process: this.#kubelet, host: name },
      {
        writes: 'nothing',
        limitMs: 2000,
        work: api => {
          for (const local of this.#pods.values()) if (isForged(api, local)) postStatus(api, local);
          api.changeNode(name, (node, version) => ({
            ...node,
            leaseVersion: version,
            renewedAt: this.#world.time.now,
          }));
        },
        done: () => undefined,
      },
    );
  }
}

function postStatus(api: ApiServer, { pod: { uid }, container, ended, isOver }: LocalPod): void {
  const running = container && { ...container.note, incarnation: container.incarnation };
  const phase = isOver ? 'Failed' : 'Running';
  api.changePod(uid, pod => ({ ...pod, running, phase, terminated: ended ? [ended] : [] }));
}

/** By somebody, or by a store that went back. */
function isForged(api: ApiServer, { pod, container, ended, isDirty }: LocalPod): boolean {
  const { running, terminated = [] } = api.stored.pods.find(it => it.uid === pod.uid) ?? {};
  const isOther = terminated[0]?.containerId !== ended?.containerId;
  return !isDirty && (isOther || running?.containerId !== container?.note.containerId);
}
