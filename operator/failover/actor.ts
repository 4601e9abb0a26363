import type { Action, Command, Decision, RecordWrite } from '../ha/action.ts';
import type { Incarnation } from '../ha/incarnation.ts';
import type { GroupView } from '../ha/view.ts';
import type { Clock } from '../kube/clock.ts';
import type { EndpointSlice } from '../kube/resources.ts';
import type { Logger } from '../kube/types.ts';
import { recordName } from '../model/names.ts';
import type { Commander } from './commander.ts';
import type { Moment } from './history.ts';
import type { Ledger } from './ledger.ts';
import type { Members } from './members.ts';
import { orderOf } from './orders.ts';
import { publicationOf, type Publisher } from './publisher.ts';
import type { GroupTarget } from './target.ts';
import type { SwitchTracker } from './tracker.ts';
import { childMeta } from '../kinds/child.ts';

export interface ActorOptions {
  key: string;
  clock: Clock;
  log: Logger;
  ledger: Ledger;
  members: Members;
  commander: Commander;
  publisher: Publisher;
  tracker: SwitchTracker;
}

/** What a decision was made of. */
export interface Decided {
  target: GroupTarget;
  view: GroupView;
  decision: Decision;
  /** The RW endpoint as the watch shows it. */
  slice: EndpointSlice | undefined;
}

/** Does what was decided about one group. */
export class Actor {
  readonly #options: ActorOptions;

  constructor(options: ActorOptions) {
    this.#options = options;
  }

  /** Sends all commands, each to its own member. @returns when to look again, ms of the clock */
  command({ decision, target, view }: Decided): number | undefined {
    const { commander, members } = this.#options;
    const record = view.recorded?.record;
    if (!record) return decision.wakeAt;
    const context = {
      target,
      record,
      client: (on: Incarnation) => members.client(on),
      address: (of: Incarnation) => members.podOf(of).address,
    };
    const orders = decision.actions.filter(isCommand).map(command => commander.give(orderOf(command, context)));
    return earliest([decision.wakeAt, ...orders]);
  }

  /** Writes the record, or the endpoint. @returns true when something was done that calls for another look */
  async write(decided: Decided): Promise<boolean> {
    const { actions } = decided.decision;
    const record = actions.find(isRecordWrite);
    const publication = actions.find(it => it.do === 'publish' || it.do === 'withdraw');
    if (record) await this.#record(record, decided);
    else if (publication) await this.#publish(publication, decided);
    return record !== undefined || publication !== undefined;
  }

  async #record(write: RecordWrite, { target, view, decision: { policy } }: Decided): Promise<void> {
    const { key, ledger, log, members, tracker } = this.#options;
    const outcome = await ledger.write(write, view.recorded, childMeta(target, recordName(target.name)));
    const { epoch, term, generation } = write.record;
    log.info('record', { cluster: key, write: write.do, outcome, policy, why: write.message, epoch, term, generation });
    if (outcome !== 'written') return;
    tracker.wrote(write, policy, view, this.#moment());
    // Agents learn at once what is recorded now: their reports are younger than it from then on.
    members.tell();
  }

  async #publish(action: Publication, { target, view, slice }: Decided): Promise<void> {
    const { key, log, members, publisher, tracker } = this.#options;
    const at = action.do === 'publish' ? publicationOf(action.on, members.podOf(action.on)) : undefined;
    await publisher.publish(target, at, slice);
    const instance = at?.incarnation.instanceId;
    log.info(at ? 'published the RW' : 'withdrew the RW', { cluster: key, ...(instance && { instance }) });
    if (at) tracker.published(view, this.#moment());
  }

  #moment(): Moment {
    const { clock } = this.#options;
    return { ms: clock.now(), iso: clock.date().toISOString() };
  }
}

type Publication = Extract<Action, { do: 'publish' | 'withdraw' }>;

/** The first of these moments; undefined when there is none. */
function earliest(moments: readonly (number | undefined)[]): number | undefined {
  const first = Math.min(...moments.map(at => at ?? Infinity));
  return first === Infinity ? undefined : first;
}

const isRecordWrite = (action: Action): action is RecordWrite => 'record' in action;
const isCommand = (action: Action): action is Command =>
  !isRecordWrite(action) && action.do !== 'publish' && action.do !== 'withdraw';
