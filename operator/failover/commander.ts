import { AgentError } from '../agent-api/errors.ts';
import type { Command as AgentCommand } from '../agent-api/schemas.ts';
import type { TaskState } from '../agent-api/state.ts';
import type { CommandStamp } from '../ha/command.ts';
import { formatIncarnation, type Incarnation } from '../ha/incarnation.ts';
import type { CommandOutcome } from '../ha/view.ts';
import { sleep, type Clock } from '../kube/clock.ts';
import type { Logger } from '../kube/types.ts';

/** One thing that one member shall do. */
export interface Order {
  /** The same key is the same order (ha's `commandKey`). */
  key: string;
  kind: string;
  on: Incarnation;
  stamp: CommandStamp;
  /** Sends it; a repeated call under one request id tells how the first stands. Nothing: it is done. */
  send: (command: AgentCommand, signal: AbortSignal) => Promise<TaskState | undefined>;
}

interface Standing {
  order: Order;
  state: CommandOutcome['state'];
  /** ms of the clock. */
  endedAt?: number;
  error?: { code: string; message: string };
  /** Failures in a row. */
  failures: number;
  /** How often it was done: asked for again and again it has no effect, and is sent ever more seldom. */
  times: number;
  /** Not to be sent again before, ms of the clock. */
  restUntil: number;
}

const FIRST_REST_MS = 50;
const LONGEST_REST_MS = 5_000;
/** A decision that asks for what is done already has not heard the member's report yet. */
const SETTLE_MS = 300;
/** Orders name incarnations and epochs, so there are ever new ones. */
const MOST_ORDERS = 64;

/**
 * Sends orders, each to its own member and beside the others. The same order is never under way twice; one that failed
 * rests a while before it is tried again. Nothing here is needed for safety: agents refuse what is out of date.
 */
export class Commander {
  readonly #clock: Clock;
  readonly #log: Logger;
  /** Makes request ids this process's own. */
  readonly #identity: string;
  readonly #ended: () => void;
  readonly #disobeyed: () => void;
  readonly #orders = new Map<string, Standing>();
  #stop = new AbortController();
  #sent = 0;

  /**
   * @param options.ended is called after each end of an order: time to decide again
   * @param options.disobeyed an agent goes on refusing what it would obey if the record were what we take it for
   */
  constructor(options: { clock: Clock; log: Logger; identity: string; ended: () => void; disobeyed: () => void }) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#identity = options.identity;
    this.#ended = options.ended;
    this.#disobeyed = options.disobeyed;
  }

  /** Begins the order unless it is under way or rests. @returns when it may be sent again, ms of the clock */
  give(order: Order): number | undefined {
    const standing = this.#orders.get(order.key);
    if (standing?.state === 'running') return undefined;
    if (standing && standing.restUntil > this.#clock.now()) return standing.restUntil;
    const { failures = 0, times = 0 } = standing ?? {};
    const next: Standing = { order, state: 'running', failures, times, restUntil: 0 };
    this.#remember(order.key, next);
    void this.#run(next);
    return undefined;
  }

  /** How all orders stand, the newest last. */
  get outcomes(): CommandOutcome[] {
    return [...this.#orders].map(([key, { state, endedAt, error }]) => ({
      key,
      state,
      ...(endedAt !== undefined && { endedAt }),
      ...error,
    }));
  }

  /** What failed last on each member in this epoch, for people. */
  troubles(epoch: number): string[] {
    const failed = [...this.#orders.values()].filter(it => it.error && it.order.stamp.epoch === epoch);
    return failed.map(({ order, error }) => `instance ${order.on.instanceId}: ${order.kind}: ${error?.message ?? ''}`);
  }

  /** Calls all off and forgets them: the right to command is gone. */
  reset(): void {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#orders.clear();
  }

  async #run(standing: Standing): Promise<void> {
    const { signal } = this.#stop;
    try {
      await this.#toItsEnd(standing.order, signal);
      if (signal.aborted) return;
      standing.state = 'done';
      standing.failures = 0;
      standing.endedAt = this.#clock.now();
      standing.restUntil = standing.endedAt + restOf(SETTLE_MS, ++standing.times);
    } catch (error) {
      if (signal.aborted) return;
      standing.state = 'failed';
      standing.error = described(error);
      standing.endedAt = this.#clock.now();
      standing.restUntil = standing.endedAt + restOf(FIRST_REST_MS, ++standing.failures);
      this.#tell(standing, error);
      if (isDisobedience(standing)) this.#disobeyed();
    }
    this.#ended();
  }

  async #toItsEnd({ kind, on, stamp, send }: Order, signal: AbortSignal): Promise<void> {
    const { epoch, term, generation } = stamp;
    const requestId = [this.#identity, kind, `${epoch}.${term}.${generation}`, ++this.#sent].join('-');
    const command: AgentCommand = { requestId, incarnation: formatIncarnation(on), ...stamp };
    for (;;) {
      const task = await send(command, signal);
      if (task === undefined || task.state === 'done') return;
      if (task.state === 'failed') throw failureOf(task);
      await sleep(this.#clock, FIRST_REST_MS, signal);
      signal.throwIfAborted();
    }
  }

  #remember(key: string, standing: Standing): void {
    this.#orders.delete(key);
    this.#orders.set(key, standing);
    if (this.#orders.size <= MOST_ORDERS) return;
    const ended = [...this.#orders].find(([, it]) => it.state !== 'running');
    if (ended) this.#orders.delete(ended[0]);
  }

  #tell({ order, failures }: Standing, error: unknown): void {
    const { kind, on, stamp } = order;
    const meta = { command: kind, on: formatIncarnation(on), epoch: stamp.epoch, failures, error };
    // Busy, still without a right, on its way out, overtaken by a newer command: the next look may find it done.
    const isPassing = error instanceof AgentError && (error.retryable || error.code === 'StaleCommand') && failures < 5;
    if (isPassing) this.#log.info('a command is not done yet', meta);
    else this.#log.warn('a command failed; it is tried again', meta);
  }
}

/** Right after a grant its agent may not have asked yet: once is nothing. */
const MOST_REFUSALS = 1;
const isDisobedience = ({ error, failures }: Standing): boolean =>
  failures > MOST_REFUSALS && (error?.code === 'NoRight' || error?.code === 'StaleCommand');

const restOf = (firstMs: number, times: number): number => Math.min(LONGEST_REST_MS, firstMs * 2 ** (times - 1));

/** @param code as the agent's errors have it; an SQLSTATE where the engine refused */
export class CommandFailure extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(`${code}: ${message}`);
    this.name = 'CommandFailure';
    this.code = code;
  }
}

const failureOf = ({ error }: TaskState): CommandFailure =>
  new CommandFailure(error?.code ?? 'Failed', error?.message ?? 'no reason given');

function described(error: unknown): { code: string; message: string } {
  const code = error instanceof AgentError || error instanceof CommandFailure ? error.code : 'Internal';
  const message = error instanceof Error ? error.message : String(error);
  return { code, message: message.slice(0, 512) };
}
