import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Launch } from '../engine/profile.ts';
import type { StopMode } from '../agent-api/schemas.ts';
import type { Clock } from './clock.ts';
import { messageOf, type Log } from './log.ts';
import { killEverythingElse, raiseOomScore, type ProcessTable } from './proc.ts';
import {
  IDLE,
  supervise,
  type Effect,
  type Supervised,
  type SupervisorEvent,
  type SupervisorLimits,
} from './supervise.ts';

export interface SupervisorOptions {
  /** Writes configuration for the present plan and says what to run; throws when it must not run. */
  launch: () => Promise<Launch>;
  /** Does the engine answer SQL? */
  isReady: (signal: AbortSignal) => Promise<boolean>;
  /** Takes the engine's standard output and error. */
  capture: (stream: Readable, name: 'stdout' | 'stderr') => void;
  /** Does somebody else decide whether and when a crashed engine starts again? */
  isDecidedElsewhere: () => boolean;
  /** Called with each new state. */
  onChange: (state: Supervised) => void;
  /** Agent and guard. */
  keep: () => ReadonlySet<number>;
  table: ProcessTable;
  clock: Clock;
  limits: SupervisorLimits;
  log: Log;
}

const READY_POLL_MS = 20;
/** The longer a start takes, the more seldom: each try of one that is not consistent yet is a line in its log. */
const LONGEST_READY_POLL_MS = 500;
/** How soon it is noticed that nobody decides about a held engine any more, ms. */
const HOLD_POLL_MS = 200;
/** Between two attempts to prove the namespace empty, when processes outlive SIGKILL. */
const CLEAN_RETRY_MS = 200;

/** Carries out what supervise.ts decides. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  #state: Supervised = IDLE;
  #signals: Launch['stopSignals'] | undefined;
  #stopTimer: () => void = () => undefined;
  #ended: Promise<{ code?: number; signal?: string }> = Promise.resolve({});
  #isCleaning = false;
  readonly #watchers = new Set<() => void>();

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  get state(): Supervised {
    return this.#state;
  }

  start(): void {
    this.#on({ type: 'start' });
  }

  stop(mode: StopMode): void {
    this.#on({ type: 'stop', mode });
  }

  /** Resolves when the state satisfies `wanted`. @throws the signal's reason */
  until(wanted: (state: Supervised) => boolean, signal: AbortSignal): Promise<Supervised> {
    return new Promise((resolve, reject) => {
      const end = (act: () => void): void => {
        this.#watchers.delete(look);
        signal.removeEventListener('abort', onAbort);
        act();
      };
      const look = (): void => {
        if (wanted(this.#state)) end(() => resolve(this.#state));
      };
      const onAbort = (): void => end(() => reject(signal.reason as Error));
      this.#watchers.add(look);
      signal.addEventListener('abort', onAbort);
      if (signal.aborted) onAbort();
      else look();
    });
  }

  #on(event: SupervisorEvent): void {
    const { clock, limits, log } = this.#options;
    const before = this.#state;
    const { state, effects } = supervise(before, event, clock.now().getTime(), limits);
    this.#state = state;
    if (state.phase !== before.phase)
      log.info('engine process', { from: before.phase, to: state.phase, ...detail(state) });
    for (const effect of effects) this.#carryOut(effect);
    for (const look of [...this.#watchers]) look();
    if (state !== before) this.#options.onChange(state);
  }

  #carryOut(effect: Effect): void {
    switch (effect.type) {
      case 'timer':
        this.#stopTimer();
        if (effect.ms !== undefined)
          this.#stopTimer = this.#options.clock.after(effect.ms, () => this.#on({ type: 'timer' }));
        break;
      case 'signal':
        this.#signal(effect.mode);
        break;
      case 'launch':
        void this.#launch();
        break;
      case 'awaitReady':
        void this.#awaitReady(this.#state.pid);
        break;
      case 'clean':
        void this.#clean();
        break;
    }
  }

  async #launch(): Promise<void> {
    let child: ChildProcess;
    try {
      child = await this.#spawn(await this.#options.launch());
    } catch (error) {
      this.#on({ type: 'launchFailed', message: messageOf(error) });
      return;
    }
    const pid = child.pid!;
    this.#ended = exitOf(child);
    this.#on({ type: 'launched', pid });
    const exit = await this.#ended;
    if (this.#state.pid === pid) this.#on({ type: 'exited', ...exit });
  }

  #spawn(launch: Launch): Promise<ChildProcess> {
    const { command, args, cwd, env, user, stopSignals } = launch;
    this.#signals = stopSignals;
    const child = spawn(command, args, { cwd, env, ...user, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#options.capture(child.stdout, 'stdout');
    this.#options.capture(child.stderr, 'stderr');
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('spawn', () => {
        this.#raiseOomScore(child.pid!);
        resolve(child);
      });
    });
  }

  #raiseOomScore(pid: number): void {
    try {
      raiseOomScore(pid);
    } catch (error) {
      this.#options.log.warn('oom_score_adj of the engine is not raised', { reason: messageOf(error) });
    }
  }

  #signal(mode: 'fast' | 'immediate'): void {
    const { pid } = this.#state;
    if (pid === undefined || !this.#signals) return;
    this.#options.table.kill(pid, this.#signals[mode]);
  }

  async #awaitReady(pid: number | undefined): Promise<void> {
    const { clock, isReady } = this.#options;
    const isStill = (): boolean => this.#state.phase === 'starting' && this.#state.pid === pid;
    for (let pauseMs = READY_POLL_MS; isStill(); pauseMs = Math.min(pauseMs * 1.1, LONGEST_READY_POLL_MS)) {
      if (await isReady(AbortSignal.timeout(1_000)).catch(() => false)) break;
      await sleep(clock, pauseMs);
    }
    if (isStill()) this.#on({ type: 'ready' });
  }

  /** One at a time: a second one that comes late would kill the successor. */
  async #clean(): Promise<void> {
    if (this.#isCleaning) return;
    this.#isCleaning = true;
    await this.#proveEmpty();
    // How it ended is known before it counts as ended.
    await this.#ended;
    this.#isCleaning = false;
    const { isDecidedElsewhere } = this.#options;
    this.#on({ type: 'cleaned', hold: isDecidedElsewhere() });
    while (this.#state.phase === 'holding') {
      await sleep(this.#options.clock, HOLD_POLL_MS);
      if (!isDecidedElsewhere()) this.#on({ type: 'release' });
    }
  }

  async #proveEmpty(): Promise<void> {
    const { table, keep, clock, log } = this.#options;
    for (;;) {
      try {
        await killEverythingElse(table, { keep, sleep: ms => sleep(clock, ms) });
        return;
      } catch (error) {
        log.error('the engine is not proven stopped, trying on', { reason: messageOf(error) });
        await sleep(clock, CLEAN_RETRY_MS);
      }
    }
  }
}

const exitOf = (child: ChildProcess): Promise<{ code?: number; signal?: string }> =>
  new Promise(resolve => {
    child.once('exit', (code, signal) => resolve({ code: code ?? undefined, signal: signal ?? undefined }));
  });

const sleep = (clock: Clock, ms: number): Promise<void> => new Promise(resolve => void clock.after(ms, resolve));

function detail({ pid, exit, message, failures, phase }: Supervised): object {
  return { pid, failures, message, ...(phase === 'cleaning' ? { exit } : {}) };
}
