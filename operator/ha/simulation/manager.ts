import type { Action, Command, Decision, RecordWrite } from '../action.ts';
import type { HeardReport } from '../evidence.ts';
import { formatIncarnation, type Incarnation } from '../incarnation.ts';
import {
  noAuthority,
  onWriteRefused,
  onWriteSent,
  onWriteUnanswered,
  onWritten,
  type Authority,
} from '../leadership.ts';
import { noMemory, type GroupMemory } from '../memory.ts';
import { commandStamp } from '../record.ts';
import { doubtfulFrom, noRecordWatch, onKnown, onShown, type RecordWatch } from '../record-watch.ts';
import { rememberAcross } from '../remember.ts';
import type { Recorded } from '../view.ts';
import type { Agent, Beat } from './agent.ts';
import type { AgentReport } from './agent-report.ts';
import type { ApiServer } from './api-server.ts';
import { Commander } from './commander.ts';
import { Elector } from './elector.ts';
import { viewOf, type ViewWorld } from './manager-view.ts';
import type { Host, Network } from './network.ts';
import { Process, type HostClock } from './process.ts';
import type { Rules } from './rules.ts';
import type { Cancel, Tell } from './time.ts';

export interface ManagerWorld extends ViewWorld {
  network: Network;
  rules: Rules;
  agentOf: (incarnation: Incarnation) => Agent | undefined;
  tell: Tell;
}

const BEAT_MS = 500;
const READ_LIMIT_MS = 1000;
const WRITE_LIMIT_MS = 2000;

/** One process of the cluster manager, for one group. */
export class Manager {
  readonly identity: string;
  readonly host: Host;
  readonly process: Process;
  /** For people: what it last decided. */
  lastDecision?: Decision;
  memory: GroupMemory = noMemory;
  recorded?: Recorded;
  lastAnswerAt?: number;
  authority: Authority = noAuthority;
  readonly reports = new Map<string, HeardReport>();
  readonly commander: Commander;
  readonly elector: Elector;
  readonly #world: ManagerWorld;
  #isReading = false;
  #watch: RecordWatch = noRecordWatch;
  #hasRead = false;
  #cancelWake: Cancel = () => undefined;
  #isDue = false;

  constructor(world: ManagerWorld, place: { identity: string; host: Host; clock: HostClock }, firstMs: number) {
    this.#world = world;
    this.identity = place.identity;
    this.host = place.host;
    this.process = new Process(world.time, place.clock);
    const { process, host, identity } = this;
    this.elector = new Elector({ identity, process, host, api: world.api, onAcquired: () => this.#begin() }, firstMs);
    const { network, agentOf } = world;
    const tell: Tell = what => world.tell(() => `${identity} ${what()}`);
    this.commander = new Commander({ process, host, network, agentOf, tell, ended: () => this.#wake() });
    process.every(BEAT_MS, 10, () => this.#beat());
    world.api.watchRecord(() => process.run(() => this.#see()));
  }

  get now(): number {
    return this.process.clock.now;
  }

  /** May act at this instant; asked right before anything is sent. */
  get isLeading(): boolean {
    return this.#world.rules.mayAct(this.elector.leadership, this.now);
  }

  get #isAuthorized(): boolean {
    const { authority, recorded } = this;
    return this.isLeading && authority.term !== undefined && recorded?.record.term === authority.term;
  }

  /** A new term of leadership: nothing of an earlier one counts. */
  #begin(): void {
    this.authority = noAuthority;
    this.memory = rememberAcross(this.memory);
    this.lastAnswerAt = undefined;
    this.commander.reset();
    this.#read();
  }

  /** A direct read; nothing is decided before its answer. */
  #read(then = (): void => this.#wake()): void {
    if (this.#isReading || !this.isLeading) return;
    this.#isReading = true;
    this.#hasRead = false;
    const { process, host } = this;
    const { rules, api } = this.#world;
    api.call(
      { process, host },
      {
        writes: 'nothing',
        limitMs: READ_LIMIT_MS,
        work: server => server.readRecord(true),
        done: answer => {
          this.#isReading = false;
          if (answer === 'none') return;
          this.#learn(answer.got);
          this.#hasRead = true;
          if (!rules.habits.stampsFirst && answer.got) this.authority = { term: answer.got.record.term };
          then();
        },
      },
    );
  }

  #learn(recorded: Recorded | undefined): void {
    this.recorded = recorded;
    this.#watch = onKnown(this.#watch, recorded?.version, this.now);
  }

  /** What the watch shows of the record, leading or not. */
  #see(): void {
    const shown = this.#world.api.cached.record;
    const { watch, isNews } = onShown(this.#watch, shown?.version);
    this.#watch = watch;
    this.memory = this.#world.rules.rememberShown(this.memory, shown?.record);
    if (isNews || this.now >= (doubtfulFrom(watch) ?? Infinity)) this.#hasRead = false;
  }

  #beat(): void {
    this.#see();
    if (this.isLeading && !this.#hasRead && this.authority.writing === undefined) this.#read();
    for (const { running } of this.#world.api.cached.pods) if (running) this.#beatTo(running.incarnation);
    this.#wake();
  }

  #beatTo(incarnation: Incarnation, answer?: string): void {
    const agent = this.#world.agentOf(incarnation);
    if (!agent) return;
    const { identity: cm, process, host, recorded } = this;
    const stamp = this.#isAuthorized && recorded ? commandStamp(recorded.record) : undefined;
    const beat: Beat = { cm, stamp, ...(answer !== undefined && { answer }) };
    const stream = { cm, process, host, onReport: (it: AgentReport): void => this.#onReport(it) };
    const channel = `${cm}>${agent.name}`;
    this.#world.network.sendInOrder(channel, [host, agent.host], agent.process, () => agent.onBeat(stream, beat));
  }

  #onReport(report: AgentReport): void {
    const { nonce, echo, ...said } = report;
    const { incarnation } = report;
    const pod = this.#world.api.cached.pods.find(it => it.uid === incarnation.podUid);
    const { running } = pod ?? {};
    const isItsContainer = running && formatIncarnation(running.incarnation) === formatIncarnation(incarnation);
    this.reports.set(formatIncarnation(incarnation), {
      ...said,
      heardAt: this.now,
      askedAtEpoch: echo?.epoch ?? 0,
      leaving: report.leaving || pod?.leaving !== false,
      container: isItsContainer ? running : undefined,
    });
    this.#answer(incarnation, nonce);
    this.#wake();
  }

  #answer(from: Incarnation, nonce: string): void {
    const { authority, recorded, isLeading } = this;
    if (!this.#world.rules.mayAnswer({ isLeading, authority, record: recorded?.record, from })) return;
    this.lastAnswerAt = this.now;
    this.#beatTo(from, nonce);
  }

  /** Things come in heaps: one decision for what came together. */
  #wake(): void {
    if (this.#isDue || !this.isLeading) return;
    this.#isDue = true;
    this.process.after(1, () => {
      this.#isDue = false;
      this.#decide();
    });
  }

  #decide(): void {
    if (!this.isLeading || !this.#hasRead || this.authority.writing !== undefined) return;
    const { rules } = this.#world;
    const seen = viewOf(this, this.#world);
    this.memory = rules.remember(seen);
    const decision = rules.decide({ ...seen, memory: this.memory });
    this.#tell(decision);
    this.lastDecision = decision;
    for (const action of decision.actions) this.#perform(action);
    if (decision.request) this.#tellRequest(decision.request);
    this.#cancelWake();
    if (decision.wakeAt !== undefined)
      this.#cancelWake = this.process.after(decision.wakeAt - this.now, () => this.#wake());
  }

  #tell({ policy, wait }: Decision): void {
    if (wait?.message === this.lastDecision?.wait?.message) return;
    this.#world.tell(() => `${this.identity} ${policy}: ${wait?.message ?? 'waits for nothing'}`);
  }

  #perform(action: Action): void {
    if (action.do === 'publish') this.#publish(action.on);
    else if (action.do === 'withdraw') this.#publish(undefined);
    else if ('record' in action) this.#write(action);
    else this.#command(action);
  }

  /** The record is read once more before: a copy of an older time may have taken its place. */
  #write(write: RecordWrite): void {
    const { recorded } = this;
    this.#hasRead = false;
    this.#read(() => {
      if (this.recorded?.version === recorded?.version && this.isLeading) this.#send(write);
      else this.#wake();
    });
  }

  #send({ do: what, record }: RecordWrite): void {
    const { process, host, recorded } = this;
    this.authority = onWriteSent(this.authority, what === 'revoke' ? 'revoke' : 'other');
    this.#world.api.call(
      { process, host },
      {
        writes: 'record',
        limitMs: WRITE_LIMIT_MS,
        work: server => server.writeRecord(record, recorded?.version),
        done: answer => {
          if (answer === 'none') {
            this.authority = onWriteUnanswered();
            this.#hasRead = false;
          } else if (answer.got === undefined) {
            this.authority = onWriteRefused(this.authority);
            this.#hasRead = false;
          } else {
            this.authority = onWritten(record.term);
            this.#learn({ record, version: answer.got });
          }
          if (this.#hasRead) this.#beat();
          else this.#read();
        },
      },
    );
  }

  #command(command: Command): void {
    const { recorded } = this;
    if (recorded && this.#isAuthorized) this.commander.give(command, recorded.record);
  }

  #publish(on: Incarnation | undefined): void {
    const { process, host } = this;
    const work = (server: ApiServer): void => server.change(() => ({ published: on }));
    this.#world.api.call(
      { process, host },
      { writes: 'other', limitMs: WRITE_LIMIT_MS, work, done: () => this.#wake() },
    );
  }

  #tellRequest({ id, outcome, epoch, target }: NonNullable<Decision['request']>): void {
    const { process, host } = this;
    const work = (server: ApiServer): void =>
      server.change(({ request }) => {
        if (request?.id !== id || request.outcome !== undefined) return {};
        if (outcome === 'accepted') return { request: { ...request, acceptedEpoch: epoch, target } };
        return { request: { ...request, outcome } };
      });
    this.#world.api.call(
      { process, host },
      { writes: 'other', limitMs: WRITE_LIMIT_MS, work, done: () => this.#wake() },
    );
  }
}
