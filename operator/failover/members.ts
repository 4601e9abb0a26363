import type { Beat, Peer, Report, Silent } from '../agent-api/beat.ts';
import type { MemberClient, AgentEndpoint } from '../agent-api/client.ts';
import type { HeardReport, Probe } from '../ha/evidence.ts';
import { formatIncarnation, isSameIncarnation, parseIncarnation, type Incarnation } from '../ha/incarnation.ts';
import type { Clock } from '../kube/clock.ts';
import type { Pod } from '../kube/resources.ts';
import { AgentLink } from './agent-link.ts';
import type { Agents } from './agents.ts';
import { heardReport, reportSign, type Heard } from './reports.ts';
import { probesOf, silenceOf } from './silence.ts';
import type { GroupTarget } from './target.ts';
import type { ClusterInstance } from '../kinds/instances.ts';

export interface MembersOptions {
  agents: Agents;
  clock: Clock;
  /** Of this group, ms. */
  times: () => { silentMs: number; beatMs: number };
  /** What to say to everybody now. */
  beat: () => Omit<Beat, 'answer' | 'peers' | 'silent'>;
  /** Whose silence the others are asked about. */
  watched: () => Incarnation | undefined;
  isMember: (who: Incarnation) => boolean;
  /** May this report be answered with a right now? */
  mayAnswer: (from: Incarnation) => boolean;
  /** Every report as it comes. */
  heard: (heard: Heard) => void;
  /** Something was said, or not said, that calls for a decision. */
  news: () => void;
}

interface Member {
  instance: ClusterInstance;
  pod: Pod;
  link: AgentLink;
  /** Since when it could be heard, ms of the clock. */
  since: number;
  heard?: Heard;
  sign?: string;
}

/** The streams to all agents of one group, and what they said last. */
export class Members {
  readonly #options: MembersOptions;
  /** By pod UID: two pods of one name are two members. */
  readonly #members = new Map<string, Member>();
  #cancelBeat: () => void = () => undefined;

  constructor(options: MembersOptions) {
    this.#options = options;
    this.#beatOn();
  }

  get streams(): number {
    return [...this.#members.values()].filter(it => it.link.isOpen).length;
  }

  /** Connects to the pods that have an address now, and gives up those that are gone or have another one. */
  see(target: GroupTarget | undefined, pods: readonly Pod[]): void {
    const wanted = new Map(pods.flatMap(pod => this.#entryOf(target, pod)));
    for (const [uid, { link }] of this.#members) {
      const address = wanted.get(uid)?.pod.status?.podIP;
      if (address !== undefined && address === link.endpoint.address) continue;
      link.close();
      this.#members.delete(uid);
    }
    for (const [uid, { pod, instance }] of wanted) {
      const known = this.#members.get(uid);
      if (known) Object.assign(known, { pod, instance });
      else {
        const since = this.#options.clock.now();
        this.#members.set(uid, { pod, instance, since, link: this.#connect(uid, pod, instance) });
      }
    }
  }

  /** What each agent said last. */
  reports(): HeardReport[] {
    const at = (address: string, port: number): Incarnation | undefined => this.#at(address, port);
    return [...this.#members.values()].flatMap(({ heard, pod }) => (heard ? [heardReport(heard, { pod, at })] : []));
  }

  /** What others found when they were asked about the silence of the RW. */
  probes(): Probe[] {
    const about = this.#options.watched();
    const silent = this.#silent(this.#options.beat().cm);
    if (!about || !silent) return [];
    return probesOf(
      about,
      silent,
      [...this.#members.values()].flatMap(it => it.heard ?? []),
    );
  }

  lastHeard(of: Incarnation): Heard | undefined {
    const heard = this.#members.get(of.podUid)?.heard;
    return heard && isSameIncarnation(heard.incarnation, of) ? heard : undefined;
  }

  /** @throws Error when the pod of this incarnation has no address */
  client(on: Incarnation): MemberClient {
    return this.#options.agents.client(this.#need(on).link.endpoint);
  }

  /** The pod that this incarnation runs in. @throws Error when it has no address */
  podOf(who: Incarnation): { pod: Pod; instance: ClusterInstance; address: string } {
    const { pod, instance, link } = this.#need(who);
    return { pod, instance, address: link.endpoint.address };
  }

  /** Tells everybody at once: what is recorded has changed, or who leads. */
  tell(): void {
    for (const member of this.#members.values()) this.#send(member);
  }

  close(): void {
    this.#cancelBeat();
    for (const { link } of this.#members.values()) link.close();
    this.#members.clear();
  }

  #entryOf(target: GroupTarget | undefined, pod: Pod): [string, { pod: Pod; instance: ClusterInstance }][] {
    const instance = target?.instances.find(it => it.podName === pod.metadata.name);
    const { uid } = pod.metadata;
    return instance && uid !== undefined && pod.status?.podIP ? [[uid, { pod, instance }]] : [];
  }

  #connect(uid: string, pod: Pod, { ports }: ClusterInstance): AgentLink {
    const { agents, clock, times } = this.#options;
    const endpoint: AgentEndpoint = {
      address: pod.status?.podIP ?? '',
      port: ports.agent,
      serverName: pod.metadata.name,
    };
    return new AgentLink({
      agents,
      clock,
      endpoint,
      silentMs: () => times().silentMs,
      silent: () => this.#fellSilent(uid),
      opened: link => link.send(this.#beatTo()),
      report: report => this.#take(uid, report),
    });
  }

  #take(uid: string, report: Report): void {
    const member = this.#members.get(uid);
    const incarnation = parseIncarnation(report.incarnation);
    // An address may already be that of another pod: its agent speaks for itself, by its own stream.
    if (!member || incarnation?.podUid !== uid) return;
    const { clock, times } = this.#options;
    const heard = { incarnation, report, at: clock.now() };
    const wasSilent = heard.at - (member.heard?.at ?? heard.at) >= times().silentMs;
    member.heard = heard;
    if (this.#options.mayAnswer(incarnation)) member.link.send(this.#beatTo(report.nonce));
    this.#options.heard(heard);
    const sign = reportSign(report);
    // That it is heard again is news, though it says what it said before.
    if (sign === member.sign && !wasSilent) return;
    member.sign = sign;
    this.#options.news();
  }

  /** If it is the RW, the others are asked at once. */
  #fellSilent(uid: string): void {
    if (this.#options.watched()?.podUid === uid) this.tell();
    this.#options.news();
  }

  /** Whoever got an answer a moment ago needs no beat. */
  #beatOn(): void {
    const { clock, times } = this.#options;
    const { beatMs } = times();
    this.#cancelBeat = clock.after(beatMs, () => {
      for (const member of this.#members.values()) {
        if (clock.now() - member.link.sentAt >= 0.9 * beatMs) this.#send(member);
      }
      this.#beatOn();
    });
  }

  #send({ link }: Member): void {
    link.send(this.#beatTo());
  }

  #beatTo(answer?: string): Beat {
    const beat = this.#options.beat();
    const silent = this.#silent(beat.cm);
    return {
      ...beat,
      ...(answer !== undefined && { answer }),
      peers: this.#peers(),
      ...(silent && { silent }),
    };
  }

  #silent(cm: string): Silent | undefined {
    const { clock, times, watched } = this.#options;
    const who = watched();
    const member = who && this.#members.get(who.podUid);
    if (!member) return undefined;
    const listening = { ...member, endpoint: member.link.endpoint };
    return silenceOf(who, listening, { now: clock.now(), silentMs: times().silentMs, cm });
  }

  #peers(): Peer[] {
    return [...this.#members.values()].flatMap(({ heard, link }) => {
      if (!heard) return [];
      const { address, port, serverName } = link.endpoint;
      const isMember = this.#options.isMember(heard.incarnation);
      return [{ incarnation: formatIncarnation(heard.incarnation), address, port, serverName, isMember }];
    });
  }

  #at(address: string, port: number): Incarnation | undefined {
    const isThere = ({ link, instance }: Member): boolean =>
      link.endpoint.address === address && instance.ports.engine === port;
    return [...this.#members.values()].find(isThere)?.heard?.incarnation;
  }

  #need(who: Incarnation): Member {
    const found = this.#members.get(who.podUid);
    if (!found) throw new Error(`the pod of ${formatIncarnation(who)} has no address`);
    return found;
  }
}
