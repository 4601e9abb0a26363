import { decide, type Action, type GroupView } from '../decide.ts';
import type { Attestation, MemberReport, PodView, TerminatedContainer } from '../evidence.ts';
import { formatIncarnation, isSameIncarnation, type Incarnation } from '../incarnation.ts';
import { commandStamp, type GrantNote, type GroupRecord } from '../record.ts';
import { mayRelease } from '../release.ts';
import { noRight, type RightState } from '../right.ts';
import { endContainer, handleRead, newNode, obey, startContainer } from './hosts.ts';
import type { Command, Container, Identity, Node, Volume } from './hosts.ts';
import { refuseBadStep } from './promises.ts';
import { UID } from './samples.ts';

/**
 * A small world in virtual time around the production code: one instance on a volume that both nodes can reach, kubelets,
 * agents, two operators, people. What is true on a node and what the API server shows are kept apart.
 */
export class World {
  record?: { record: GroupRecord; version: string };
  published?: Incarnation;
  wanted: 'running' | 'stopped' = 'running';
  /** What the API server shows. */
  pods: ApiPod[] = [];
  readonly nodes: Node[] = ['a', 'b'].map(newNode);
  attestation?: Attestation;
  lastDecision = '';
  readonly volume: Volume = { state: 'blank', epoch: 0 };
  private readonly mutation: Mutation;
  private readonly views: (GroupView | undefined)[] = [];
  /** Answers of each incarnation that may come again: its last one, and the last that said stopped. */
  private readonly late = new Map<string, MemberReport>();
  private readonly lateStopped = new Map<string, MemberReport>();
  private stalePods: ApiPod[] = [];
  private commands: Command[] = [];
  private version = 0;
  private serial = 0;

  readonly identity: Identity = (me, named) =>
    this.mutation.byInstance && named?.instanceId === me.instanceId ? named : me;

  readonly remembers = (right: RightState): RightState => (this.mutation.forgets ? noRight : right);

  constructor(mutation: Mutation = {}) {
    this.mutation = mutation;
  }

  /** Containers whose engine runs as RW at this instant. */
  writers(): Container[] {
    return this.containers().filter(it => it.engine === 'rw');
  }

  // Operators

  /** Reads the record directly, then asks agents; the list of pods may be an old one, old answers may come again. */
  gather(slot: number, options: { stale?: boolean; late?: boolean } = {}): void {
    const pods = options.stale ? this.stalePods : this.pods;
    if (!options.stale) this.stalePods = this.pods.map(it => ({ ...it }));
    const fresh = pods.flatMap(pod => this.ask(pod, this.record?.record.epoch ?? 0));
    const gone = [...this.late.values()].filter(
      it => !fresh.some(at => isSameIncarnation(at.incarnation, it.incarnation)),
    );
    for (const it of fresh) this.late.set(formatIncarnation(it.incarnation), it);
    for (const it of fresh.filter(it => it.stopped)) this.lateStopped.set(formatIncarnation(it.incarnation), it);
    const view = this.viewOf(pods, options.late ? [...fresh, ...this.lateStopped.values(), ...gone] : fresh);
    this.views[slot] = this.mutation.view?.(view) ?? view;
  }

  work(slot: number): void {
    this.gather(slot);
    this.act(slot);
  }

  /** Acts on what that operator gathered, however long ago. */
  act(slot: number): void {
    const view = this.views[slot];
    if (!view) return;
    this.views[slot] = undefined;
    const { policy, action } = decide(view);
    this.lastDecision = action.do === 'wait' ? action.reason : policy;
    this.perform(action, view);
  }

  /** A command reaches whatever agent answers at the instance's address. */
  deliver(index: number): void {
    const [command] = this.commands.splice(index % Math.max(1, this.commands.length), 1);
    if (!command) return;
    for (const it of this.containers().filter(it => this.nodeOf(it).linked)) {
      if (obey(it, command, this) && command.what === 'promote') this.agentSends(it);
    }
  }

  release(): void {
    const { record } = this.record ?? {};
    this.pods = this.pods.filter(pod => {
      const isHostOff = this.node(pod.node).tainted || this.attestation?.incarnation.podUid === pod.uid;
      return !pod.leaving || !mayRelease({ ...pod, isCollected: false, isHostOff }, record).release;
    });
  }

  createPod(on: number): void {
    const node = this.nodes[on]!;
    if (this.pods.length > 0 || node.tainted || this.wanted === 'stopped') return;
    this.pods.push({ uid: `pod-${++this.serial}`, node: node.name, leaving: false, phase: 'Pending', terminated: [] });
  }

  // Agents

  /** The agent's direct read; its answer may be handled much later. */
  agentSends(container: Container): void {
    if (this.nodeOf(container).linked && this.record) container.answer = this.record.record;
  }

  agentHandles(container: Container): void {
    handleRead(container, this.now(), this);
  }

  /** All that runs, in the order of its start. */
  containers(): Container[] {
    return this.nodes.flatMap(it => it.runs.flatMap(run => run.container ?? []));
  }

  /** The agent dies: so does PID 1, and with it all of the container. */
  kill(container: Container): void {
    for (const run of this.nodes.flatMap(it => it.runs)) {
      if (run.container === container) endContainer(run, this.now());
    }
  }

  // Kubelets, hosts and people

  /** What a kubelet does on its host; with its link cut it does not learn of deletions and new pods. */
  kubeletRuns(node: Node): void {
    if (!node.on) return;
    if (node.linked) this.learn(node);
    for (const run of node.runs) {
      if (run.leaving) endContainer(run, this.now());
      else run.container ??= startContainer(run.uid, ++this.serial, this.now());
    }
    node.runs = node.runs.filter(it => !it.leaving || this.pods.some(pod => pod.uid === it.uid));
  }

  /** Writes statuses and renews the node's Lease. */
  kubeletPosts(node: Node): void {
    if (!node.on || !node.linked) return;
    for (const run of node.runs) {
      const pod = this.pods.find(it => it.uid === run.uid);
      if (!pod) continue;
      pod.running = run.container && {
        containerId: run.container.id,
        startedAt: run.container.startedAt,
        node: node.name,
      };
      pod.terminated = run.ended ? [run.ended] : [];
      pod.phase = run.leaving ? 'Failed' : 'Running';
    }
    node.leaseVersion = ++this.version;
  }

  powerOff(node: Node): void {
    node.on = false;
    node.linked = false;
    for (const run of node.runs) endContainer(run, this.now());
  }

  powerOn(node: Node): void {
    node.on = true;
    node.linked = true;
    node.tainted = false;
  }

  /** People tell the truth: only a node that is off is called so. */
  taint(node: Node): void {
    if (!node.on) node.tainted = true;
  }

  attest(): void {
    const { former } = this.record?.record ?? {};
    const isAlive = this.containers().some(it => former && isSameIncarnation(it.incarnation, former.incarnation));
    if (former && !isAlive) this.attestation = { incarnation: former.incarnation, who: 'Ada', when: this.now() };
  }

  deletePod(): void {
    for (const it of this.pods) it.leaving = true;
  }

  stripFinalizers(): void {
    this.pods = this.pods.filter(it => !it.leaving);
  }

  /** Somebody else calls the containers of a lost node ended. */
  forge(node: Node): void {
    if (node.linked) return;
    for (const pod of this.pods) {
      if (pod.node !== node.name || !pod.running) continue;
      const { containerId, startedAt } = pod.running;
      pod.terminated = [{ containerId, startedAt, finishedAt: this.now() }];
    }
  }

  private viewOf(pods: readonly ApiPod[], reports: readonly MemberReport[]): GroupView {
    const { holder, grant, former } = this.record?.record ?? {};
    const uid = (holder ?? former?.incarnation)?.podUid;
    return {
      clusterUid: UID,
      wanted: this.wanted,
      first: '1',
      established: this.record !== undefined,
      recorded: this.record,
      evidence: {
        reports,
        pod: podView(pods.find(it => it.uid === uid)),
        node: this.nodeView((grant ?? former?.grant)?.node),
        attestation: this.attestation,
      },
      published: this.published,
      now: this.now(),
    };
  }

  private perform(action: Action, view: GroupView): void {
    if (action.do === 'publish') this.published = action.on;
    if (action.do === 'withdraw') this.published = undefined;
    if ('record' in action) this.write(action.record, view.recorded?.version);
    if ('on' in action && action.do !== 'publish' && view.recorded) {
      this.commands.push({ what: action.do, to: action.on, stamp: commandStamp(view.recorded.record) });
    }
  }

  private write(next: GroupRecord, expected: string | undefined): void {
    if (this.record?.version !== expected) return;
    const before = this.record?.record;
    if (before) refuseBadStep(before, next);
    this.record = { record: next, version: String(++this.version) };
  }

  private ask(pod: ApiPod, epoch: number): MemberReport[] {
    const node = this.node(pod.node);
    const container = node.runs.find(it => it.uid === pod.uid)?.container;
    if (!node.linked || !container) return [];
    const { incarnation, engine, stopped, highest } = container;
    return [
      {
        incarnation,
        askedAtEpoch: epoch,
        leaving: pod.leaving,
        container: pod.running,
        volume: { ...this.volume, clusterUid: this.volume.state === 'blank' ? undefined : UID },
        highestEpoch: highest?.epoch,
        engine:
          engine === 'rw'
            ? { state: 'running', role: 'rw', acceptsWrites: true }
            : { state: 'stopped', acceptsWrites: false },
        stopped,
      },
    ];
  }

  private learn(node: Node): void {
    for (const run of node.runs) run.leaving = this.pods.find(it => it.uid === run.uid)?.leaving ?? true;
    for (const { uid, node: name, leaving } of this.pods) {
      if (name === node.name && !node.runs.some(it => it.uid === uid)) node.runs.push({ uid, leaving });
    }
  }

  private node(name: string): Node {
    return this.nodes.find(it => it.name === name)!;
  }

  private nodeView(name: string | undefined): GroupView['evidence']['node'] {
    const node = this.nodes.find(it => it.name === name);
    return node && { leaseVersion: String(node.leaseVersion), outOfService: node.tainted };
  }

  private nodeOf(container: Container): Node {
    return this.nodes.find(it => it.runs.some(run => run.container === container))!;
  }

  private now(): string {
    return new Date(++this.serial * 1000).toISOString();
  }
}

/** A rule taken out: by bending what production code is shown, never by changing it. */
export interface Mutation {
  view?: (view: GroupView) => GroupView;
  /** Agents compare instances instead of incarnations. */
  byInstance?: boolean;
  /** Agents forget between reads which epoch they have seen. */
  forgets?: boolean;
}

interface ApiPod {
  uid: string;
  node: string;
  leaving: boolean;
  phase: string;
  running?: GrantNote;
  terminated: TerminatedContainer[];
}

const podView = (pod: ApiPod | undefined): PodView | undefined =>
  pod && { uid: pod.uid, leaving: pod.leaving, terminated: pod.terminated };
