import { commandKey, type Command } from '../action.ts';
import type { CommandStamp } from '../command.ts';
import type { Incarnation } from '../incarnation.ts';
import { commandStamp, type GroupRecord } from '../record.ts';
import type { CommandOutcome } from '../view.ts';
import type { AgentBody } from './agent-body.ts';
import type { Host, Network } from './network.ts';
import type { Process } from './process.ts';
import type { Tell } from './time.ts';
import type { Outcome, Reply } from './work.ts';

/** An agent as a cluster manager commands it. */
export interface Commanded extends AgentBody {
  obey(command: Command, stamp: CommandStamp, reply: Reply): void;
}

export interface CommanderParts {
  process: Process;
  host: Host;
  network: Network;
  agentOf: (incarnation: Incarnation) => Commanded | undefined;
  ended: () => void;
  tell: Tell;
}

interface Standing {
  outcome: CommandOutcome;
  /** Ends in a row of the same kind: each makes the rest before the next try longer. */
  ends: number;
  restUntil: number;
}

const LIMIT_MS = 5000;
const FIRST_REST_MS = { done: 300, failed: 50 };
const LONGEST_REST_MS = 5000;

/** Sends commands, each beside the others; the same one is never under way twice, and one that ended rests a while. */
export class Commander {
  readonly #parts: CommanderParts;
  readonly #standings = new Map<string, Standing>();

  constructor(parts: CommanderParts) {
    this.#parts = parts;
  }

  get outcomes(): CommandOutcome[] {
    return [...this.#standings.values()].map(it => it.outcome);
  }

  reset(): void {
    this.#standings.clear();
  }

  give(command: Command, record: GroupRecord): void {
    const { process, host, network, agentOf, tell } = this.#parts;
    const key = commandKey(command, record, SETTINGS);
    const before = this.#standings.get(key);
    if (before?.outcome.state === 'running' || (before?.restUntil ?? 0) > process.clock.now) return;
    const standing: Standing = { outcome: { key, state: 'running' }, ends: before?.ends ?? 0, restUntil: 0 };
    this.#standings.set(key, standing);
    tell(() => `commands ${key}`);
    const end = (outcome: Outcome): void => this.#end(standing, outcome);
    process.after(LIMIT_MS, () => end({ state: 'failed', code: 'NoAnswer' }));
    const agent = agentOf(command.on);
    if (!agent) return;
    const stamp = commandStamp(record);
    network.send(host, agent.host, agent.process, () =>
      agent.obey(command, stamp, outcome => network.send(agent.host, host, process, () => end(outcome))),
    );
  }

  #end(standing: Standing, outcome: Outcome): void {
    const { process, ended, tell } = this.#parts;
    const { key, state } = standing.outcome;
    if (state !== 'running' || this.#standings.get(key) !== standing) return;
    tell(() => `hears ${outcome.state} ${outcome.code ?? ''} of ${key}`);
    const endedAt = process.clock.now;
    standing.outcome = { key, endedAt, ...outcome };
    standing.restUntil = endedAt + Math.min(LONGEST_REST_MS, FIRST_REST_MS[outcome.state] * 2 ** standing.ends++);
    ended();
  }
}

/** Settings do not change in the simulation. */
export const SETTINGS = 'settings';
