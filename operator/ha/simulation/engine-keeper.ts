import type { EngineView } from '../evidence.ts';
import type { Data } from './data.ts';
import { EngineRun, type Address, type EngineSurroundings, type SyncSetting } from './engine-run.ts';
import type { Host } from './network.ts';
import { Process } from './process.ts';
import type { VirtualTime } from './time.ts';

export interface EngineKeeperOptions {
  world: EngineSurroundings & { time: VirtualTime };
  /** The agent's. */
  process: Process;
  name: string;
  host: Host;
  data: Data;
  /** Does a follower run an engine at all? On the volume of stock PostgreSQL it stands ready without one. */
  isStreaming: boolean;
  /** The /proc check: only what is really gone counts as stopped. */
  checksProc: boolean;
  onExit: () => void;
}

/** What an engine goes by when it starts or is promoted. */
export interface Stand {
  sync: SyncSetting;
  /** Of the record that it is RW by. */
  epoch: number;
}

/** Longest time from the decision to kill until everything is dead, on a loaded host, ms. */
const KILL_MS = 200;
const FAST_STOP_MS = 300;
const START_MS = 250;
const PROMOTE_MS = 90;
/** A receiver that is told to end may take in WAL for so long. */
const CUT_MS = 100;

/** Starts and ends the engine of one container, as the agent's supervisor does. */
export class EngineKeeper {
  run?: EngineRun;
  readonly #options: EngineKeeperOptions;
  /** Counts orders, so that what an older one left to do is not done. */
  #order = 0;
  readonly #stops = new Set<string>();
  #state: EngineView['state'] = 'stopped';

  constructor(options: EngineKeeperOptions) {
    this.#options = options;
  }

  /** A copy that is not complete yet streams, and answers no SQL. */
  get state(): EngineView['state'] {
    return this.#state === 'running' && this.run?.isIncomplete ? 'starting' : this.#state;
  }

  /** It stands still, so that it answers no SQL. */
  get isFrozen(): boolean {
    return this.#stops.size > 0;
  }

  get isWriting(): boolean {
    return this.run?.role === 'rw' && this.run.hasPostmaster && this.run.acceptsWrites;
  }

  /** Starts an engine; a crash recovery is part of it. */
  start(role: 'rw' | 'ro', { sync, epoch }: Stand, then: () => void): void {
    const { process, world } = this.#options;
    if (role === 'ro' && !this.#options.isStreaming) {
      this.#state = 'held';
      then();
      return;
    }
    const order = ++this.#order;
    this.run?.killAll();
    this.#state = 'starting';
    process.after(world.random.between(30, START_MS), () => {
      if (order !== this.#order) return;
      this.run = this.#newRun(role, sync);
      this.#state = 'running';
      if (role === 'ro') this.#options.data.isInRecovery = true;
      else if (this.#options.data.isInRecovery) this.run.promote(sync, epoch);
      else this.run.open();
      then();
    });
  }

  /** A follower that runs becomes RW. */
  promote({ sync, epoch }: Stand, then: () => void): void {
    const { process, world } = this.#options;
    const { run } = this;
    const order = this.#order;
    process.after(world.random.between(20, PROMOTE_MS), () => {
      if (order !== this.#order || run !== this.run || !run?.hasPostmaster) return;
      run.promote(sync, epoch);
      then();
    });
  }

  follow(address: Address | undefined): void {
    this.run?.follow(address);
  }

  /** Ends the receiver and waits until it is gone. */
  cut(then: () => void): void {
    const { process, world } = this.#options;
    process.after(world.random.between(1, CUT_MS), () => {
      this.run?.follow(undefined);
      then();
    });
  }

  /** `fast` lets senders send what there is; both end with nothing left. */
  stop(mode: 'fast' | 'kill', then: () => void): void {
    const { process, world } = this.#options;
    const order = ++this.#order;
    this.#state = this.run ? 'stopping' : 'stopped';
    if (mode === 'fast') this.run?.close();
    const ms = mode === 'fast' && this.run ? world.random.between(20, FAST_STOP_MS) : 1;
    process.after(ms, () => {
      if (order === this.#order) this.#kill(order, 'stopped', then);
    });
  }

  /** SIGKILL by somebody else; the agent learns of it at once and ends what is left. */
  losePostmaster(): void {
    const { run } = this;
    if (!run?.hasPostmaster) return;
    run.killPostmaster();
    const { process, world } = this.#options;
    const order = ++this.#order;
    process.after(world.random.between(0.5, 10), () => {
      if (order !== this.#order) return;
      this.#kill(order, 'crashed', this.#options.onExit);
    });
  }

  /** The guard, or the end of PID 1: no word of the agent. What is only starting dies as well. */
  killAll(): void {
    if (this.#state === 'starting') {
      this.#order++;
      this.#state = 'running';
    }
    this.run?.killAll();
  }

  /** After the guard killed, in a start as well: the agent sees an engine that has exited. */
  noticeExit(): void {
    if (this.#state !== 'running' || this.run?.hasPostmaster) return;
    this.#state = 'crashed';
    this.#options.onExit();
  }

  freeze(reason: string): void {
    this.#stops.add(reason);
    this.run?.stop(reason);
  }

  thaw(reason: string): void {
    this.#stops.delete(reason);
    this.run?.continue(reason);
  }

  #kill(order: number, state: EngineView['state'], then: () => void): void {
    const { process, world, checksProc } = this.#options;
    const { run } = this;
    if (!checksProc) run?.killPostmaster();
    process.after(world.random.between(0.5, KILL_MS), () => {
      if (checksProc) run?.killAll();
      if (order !== this.#order) return;
      this.#state = state;
      then();
    });
  }

  #newRun(role: 'rw' | 'ro', sync: SyncSetting): EngineRun {
    const { world, process, name, host, data } = this.#options;
    const sessions = new Process(world.time, process.clock);
    for (const reason of this.#stops) sessions.stop(reason);
    return new EngineRun(world, { name, host, data, role, sync, sessions });
  }
}
