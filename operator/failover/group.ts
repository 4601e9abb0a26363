import type { Beat } from '../agent-api/beat.ts';
import type { Decision } from '../ha/action.ts';
import { decide } from '../ha/decide.ts';
import type { Incarnation } from '../ha/incarnation.ts';
import { RecordError } from '../ha/lease.ts';
import { recordUnreadable } from '../ha/lost.ts';
import { noMemory, type GroupMemory } from '../ha/memory.ts';
import { commandStamp, type GroupRecord } from '../ha/record.ts';
import { remember, rememberAcross, rememberShown } from '../ha/remember.ts';
import type { GroupView, Recorded } from '../ha/view.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import { isServerDown } from '../kube/errors.ts';
import type { Logger } from '../kube/types.ts';
import { recordName } from '../model/names.ts';
import { Actor } from './actor.ts';
import type { Agents } from './agents.ts';
import { Commander } from './commander.ts';
import { optionsOf, viewOf } from './gather.ts';
import { holdLastsMs } from './hold.ts';
import { Ledger } from './ledger.ts';
import { Members } from './members.ts';
import { NodeLease } from './node-lease.ts';
import { Publisher } from './publisher.ts';
import { RecordStore } from './record-store.ts';
import { isOf, type Heard } from './reports.ts';
import type { Asked } from './requests.ts';
import { watchedHolder } from './silence.ts';
import type { GroupParts, Sources } from './sources.ts';
import type { GroupTarget } from './target.ts';
import type { SwitchTracker } from './tracker.ts';

export interface GroupOptions {
  key: string;
  client: KubeClient;
  agents: Agents;
  sources: Sources;
  clock: Clock;
  log: Logger;
  /** One start of this process. */
  identity: string;
  /** May this process act now? */
  isLeading: () => boolean;
  tracker: SwitchTracker;
  /** What is asked for now, in an operation. */
  asked: (record: GroupRecord | undefined) => Asked | undefined;
  /** The word of a decision about what is asked for. @returns whether there is one that was not told before */
  judged: (asked: Asked, decision: Decision) => Promise<boolean>;
  /** Time to decide again. */
  wake: () => void;
  /** A decision was made: there may be news to tell. */
  told: () => void;
}

/** The latest look at the group, for whoever tells of it. */
export interface Look {
  target: GroupTarget;
  view: GroupView;
  decision: Decision;
}

/** Looks in one go; each decides anew. More than this in a row means that they undo each other. */
const MOST_LOOKS = 20;
/** The API server does not answer: it is asked again soon, since all waits for it. */
const SERVER_PAUSE_MS = 200;
/** Something that no policy foresaw; the next event may mend it sooner. */
const ERROR_PAUSE_MS = 1_000;

/**
 * One group: its streams, what this process knows of its record, and the loop that gathers, decides and acts. It waits
 * for no other group; commands run beside it and wake it when they end.
 */
export class Group {
  readonly members: Members;
  readonly commander: Commander;
  #look: Look | undefined;
  readonly #options: GroupOptions;
  readonly #ledger: Ledger;
  readonly #publisher: Publisher;
  readonly #actor: Actor;
  readonly #nodeLease: NodeLease;
  #parts: GroupParts;
  #memory: GroupMemory = noMemory;
  #since = 0;
  #lastAnswerAt: number | undefined;
  #policy = '';

  constructor(options: GroupOptions) {
    const { agents, client, clock, identity, key, log, sources, tracker, wake } = options;
    this.#options = options;
    this.#parts = sources.group(key);
    const [namespace = '', name = ''] = key.split('/');
    this.#ledger = new Ledger(new RecordStore(client, { namespace, name: recordName(name) }, () => clock.now()));
    this.#publisher = new Publisher(client);
    this.#nodeLease = new NodeLease({ client, clock, news: wake });
    this.commander = new Commander({ clock, log, identity, ended: wake, disobeyed: () => this.#ledger.doubt() });
    this.members = new Members({
      agents,
      clock,
      times: () => optionsOf(this.#parts.target?.cluster.spec.ha ?? {}),
      beat: () => this.#beat(),
      watched: () =>
        options.isLeading() ? watchedHolder(this.#parts.target, this.#ledger.recorded?.record) : undefined,
      isMember: who => this.#ledger.recorded?.record.members.some(it => isOf(it.incarnation, who)) ?? false,
      mayAnswer: from => this.#mayAnswer(from),
      heard: heard => this.#heard(heard),
      news: wake,
    });
    const { commander, members } = this;
    const [ledger, publisher] = [this.#ledger, this.#publisher];
    this.#actor = new Actor({ key, clock, log, ledger, members, commander, publisher, tracker });
    this.seen();
  }

  /** What was decided last; undefined while this process does not lead, or has not looked yet. */
  get look(): Look | undefined {
    return this.#look;
  }

  get parts(): GroupParts {
    return this.#parts;
  }

  /** Something that is watched has changed. */
  seen(): void {
    this.#parts = this.#options.sources.group(this.#options.key);
    this.#ledger.observed(this.#parts.recordVersion);
    this.#memory = rememberShown(this.#memory, this.#parts.record);
    this.members.see(this.#parts.target, this.#parts.pods);
  }

  /** This process begins to lead. */
  lead(): void {
    this.#forget();
    this.#since = this.#options.clock.now();
  }

  /** This process leads no more: whatever is under way is called off. */
  standBy(): void {
    this.#forget();
    this.members.tell();
  }

  close(): void {
    this.#forget();
    this.members.close();
  }

  /** Gathers, decides, acts, until nothing is left to do now. @returns when to look again, ms from now */
  async run(): Promise<number | undefined> {
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      const { target } = this.#parts;
      if (!target || !this.#options.isLeading()) return undefined;
      const pause = await this.#attempt(target);
      if (pause !== 'again') return pause;
    }
    this.#options.log.error('no stable state after many looks; going on later', { policy: this.#policy });
    return ERROR_PAUSE_MS;
  }

  async #attempt(target: GroupTarget): Promise<number | undefined | 'again'> {
    try {
      return await this.#once(target);
    } catch (error) {
      if (error instanceof RecordError) this.#say(target, recordUnreadable(error));
      return this.#failed(error);
    }
  }

  /** A decision that no record stands behind. */
  #say(target: GroupTarget, decision: Decision): void {
    this.#look = { target, view: this.#gather(target, undefined, undefined), decision };
    this.#tell(decision, undefined);
  }

  async #once(target: GroupTarget): Promise<number | undefined | 'again'> {
    const { asked: ask, isLeading, judged, told, tracker } = this.#options;
    const recorded = await this.#ledger.known();
    // That may have taken longer than the leadership lasted.
    if (!isLeading()) return undefined;
    const asked = ask(recorded?.record);
    const view = this.#gather(target, recorded, asked);
    tracker.looked(view);
    const decision = decide(view);
    this.#look = { target, view, decision };
    this.#tell(decision, recorded);
    const decided = { target, view, decision, slice: this.#parts.slice };
    const wakeAt = this.#actor.command(decided);
    this.#nodeLease.follow(recorded?.record);
    const hasActed = await this.#actor.write(decided);
    const isJudged = asked !== undefined && (await judged(asked, decision));
    told();
    return hasActed || isJudged ? 'again' : this.#pause(target, wakeAt);
  }

  #pause({ cluster }: GroupTarget, wakeAt = Infinity): number | undefined {
    const { clock } = this.#options;
    const at = Math.min(wakeAt, this.#ledger.doubtfulFrom ?? Infinity);
    const pause = Math.max(1, Math.min(at - clock.now(), holdLastsMs(cluster.metadata.annotations, clock.date())));
    return pause === Infinity ? undefined : pause;
  }

  #gather(target: GroupTarget, recorded: Recorded | undefined, asked: Asked | undefined): GroupView {
    const { clock, sources } = this.#options;
    const view = viewOf({
      target,
      recorded,
      reports: this.members.reports(),
      probes: this.members.probes(),
      pods: this.#parts.pods,
      node: name => sources.node(name),
      nodeLease: this.#nodeLease.current,
      published: this.#publisher.published(this.#parts.slice),
      leader: { since: this.#since, term: this.#ledger.term, lastAnswerAt: this.#lastAnswerAt },
      memory: this.#memory,
      commands: this.commander.outcomes,
      request: asked?.request,
      now: clock.now(),
      date: clock.date(),
    });
    this.#memory = remember(view);
    return { ...view, memory: this.#memory };
  }

  /** Labels follow the record, for people; nothing waits for them. */
  async label(): Promise<void> {
    const { target, pods } = this.#parts;
    const holder = this.#ledger.recorded?.record.holder;
    if (target) await this.#publisher.label(target, pods, holder);
  }

  #mayAnswer(from: Incarnation): boolean {
    const mayAnswer = this.#ledger.mayAnswer(from, this.#options.isLeading());
    if (mayAnswer) this.#lastAnswerAt = this.#options.clock.now();
    return mayAnswer;
  }

  #beat(): Omit<Beat, 'answer' | 'peers' | 'silent'> {
    const isLeader = this.#options.isLeading();
    const record = this.#ledger.recorded?.record;
    const isKnown = isLeader && this.#ledger.term !== undefined && record !== undefined;
    return { cm: this.#options.identity, isLeader, ...(isKnown && { stamp: commandStamp(record) }) };
  }

  /**
   * What the RW tells is remembered though it calls for no decision: until when each member streamed, say. While
   * something is under way that depends on positions, which are no news by themselves, each of its reports is looked at.
   */
  #heard(heard: Heard): void {
    const { recorded } = this.#ledger;
    const { target } = this.#parts;
    const { asked, isLeading, tracker, wake } = this.#options;
    tracker.heard(heard, recorded?.record);
    if (!target || !recorded || !isLeading() || !isOf(heard.incarnation, recorded.record.holder)) return;
    const request = asked(recorded.record);
    this.#gather(target, recorded, request);
    if (request || isMoving(this.#look?.decision) || isChanging(recorded.record, heard)) wake();
  }

  #tell({ policy, actions, wait }: Decision, recorded: Recorded | undefined): void {
    const sign = [policy, wait?.reason, ...actions.map(it => it.do)].join(' ');
    if (sign === this.#policy) return;
    this.#policy = sign;
    const { key, log } = this.#options;
    const meta = { cluster: key, epoch: recorded?.record.epoch, policy, actions: actions.map(it => it.do) };
    log.info('decision', { ...meta, ...(wait && { wait: wait.reason, why: wait.message }) });
  }

  #failed(error: unknown): number {
    const { key, log, told } = this.#options;
    if (isServerDown(error)) {
      log.debug('the API server does not answer', { cluster: key, error });
      return SERVER_PAUSE_MS;
    }
    log.error('this look failed, going on later', { cluster: key, error });
    // What was seen is true, though not all could be done.
    told();
    return ERROR_PAUSE_MS;
  }

  #forget(): void {
    this.commander.reset();
    this.#ledger.reset();
    this.#publisher.forget();
    this.#options.tracker.forget();
    this.#memory = rememberAcross(this.#memory);
    this.#look = undefined;
    this.#lastAnswerAt = undefined;
  }
}

/** Is (E, k) on its way from one setting to the next? */
const isChanging = ({ members, generation }: GroupRecord, { report: { quorum } }: Heard): boolean =>
  generation !== (quorum?.generation ?? generation) || members.some(it => it.pending);

/** Does a planned move wait for what members still lack? */
const isMoving = (decision: Decision | undefined): boolean =>
  decision?.wait?.reason === 'SwitchoverPreparing' || decision?.wait?.reason === 'DrainWaits';
