import type { StopMode } from '../agent-api/schemas.ts';

/**
 * Life of one engine process as a state machine: pure, so that every order of events can be tried. An engine is never
 * started before everything else in the namespace is proven gone (`clean`), however the former one ended: a gone
 * postmaster leaves backends that go on writing.
 *
 * idle -> launching -> starting -> running          start
 * starting, running -> stopping -> cleaning -> idle  stop: fast, then immediate, then kill, each with a bound
 * any -> cleaning -> waiting -> launching            crash: back-off, then again
 * any -> cleaning -> holding -> launching            crash while somebody else decides what comes next
 */
export type Phase = 'idle' | 'launching' | 'starting' | 'running' | 'stopping' | 'cleaning' | 'waiting' | 'holding';

export interface Supervised {
  phase: Phase;
  /** Shall it run? Only `start` and `stop` change it. */
  wanted: boolean;
  pid?: number;
  startedAt?: number;
  /** Strongest stop asked for. */
  mode?: StopMode;
  /** A start was asked for while the process before it was ending. */
  isAwaited?: boolean;
  /** Failures since the engine last ran quietly. */
  failures: number;
  exit?: Exit;
  /** Clock time of the next start, in phase `waiting`. */
  retryAt?: number;
  /** Why it is not running, for people. */
  message?: string;
}

export interface Exit {
  at: number;
  code?: number;
  signal?: string;
  /** Was it told to stop? */
  wanted: boolean;
}

export type SupervisorEvent =
  | { type: 'start' }
  | { type: 'stop'; mode: StopMode }
  | { type: 'launched'; pid: number }
  | { type: 'launchFailed'; message: string }
  | { type: 'ready' }
  | { type: 'exited'; code?: number; signal?: string }
  /** `hold`: whoever decides about the next start is there. */
  | { type: 'cleaned'; hold: boolean }
  /** Nobody decides any more: a held engine is the supervisor's again. */
  | { type: 'release' }
  | { type: 'timer' };

export type Effect =
  /** Write the configuration and spawn; answers `launched` or `launchFailed`. */
  | { type: 'launch' }
  /** Poll until the engine answers SQL; answers `ready`. */
  | { type: 'awaitReady' }
  | { type: 'signal'; mode: 'fast' | 'immediate' }
  /** SIGKILL everything else until /proc proves it gone; answers `cleaned`. */
  | { type: 'clean' }
  /** The only timer; set anew by each of these, `undefined` stops it. */
  | { type: 'timer'; ms: number | undefined };

export interface SupervisorLimits {
  stopFastMs: number;
  stopImmediateMs: number;
  startMs: number;
  /** Running this long makes earlier failures forgotten. */
  quietMs: number;
  /** Waits before the first, second, ... start after a failure; the last one stays. */
  backoffMs: readonly number[];
}

export interface Step {
  state: Supervised;
  effects: Effect[];
}

export const IDLE: Supervised = { phase: 'idle', wanted: false, failures: 0 };

/** Times are of the same clock as `now`, ms. */
export function supervise(state: Supervised, event: SupervisorEvent, now: number, limits: SupervisorLimits): Step {
  switch (event.type) {
    case 'start':
      return onStart({ ...state, wanted: true });
    case 'stop':
      return onStop({ ...state, wanted: false, isAwaited: undefined }, event.mode, limits);
    case 'launched':
      return onLaunched(state, event.pid, now, limits);
    case 'launchFailed':
      return clean({ ...state, message: event.message });
    case 'ready':
      return onReady(state, limits);
    case 'exited':
      return onExit(state, event, now);
    case 'cleaned':
      return onCleaned(state, { now, hold: event.hold }, limits);
    case 'release':
      return onRelease(state);
    case 'timer':
      return onTimer(state, limits);
  }
}

/** Was it told to end, though it may be wanted again by now? */
export const wasStopped = ({ wanted, mode }: Supervised): boolean => !wanted || mode !== undefined;

const keep = (state: Supervised): Step => ({ state, effects: [] });
const launch = (state: Supervised): Step => ({
  state: { ...state, phase: 'launching', retryAt: undefined },
  effects: [{ type: 'timer', ms: undefined }, { type: 'launch' }],
});
const clean = (state: Supervised): Step => ({
  state: { ...state, phase: 'cleaning' },
  effects: [{ type: 'timer', ms: undefined }, { type: 'clean' }],
});

function onStart(state: Supervised): Step {
  if (state.phase === 'stopping' || state.phase === 'cleaning') return keep({ ...state, isAwaited: true });
  if (state.phase !== 'idle' && state.phase !== 'waiting' && state.phase !== 'holding') return keep(state);
  return launch({ ...state, failures: 0, message: undefined });
}

const onRelease = (state: Supervised): Step => (state.phase === 'holding' ? launch(state) : keep(state));

function onStop(state: Supervised, mode: StopMode, limits: SupervisorLimits): Step {
  if (state.phase === 'waiting' || state.phase === 'holding') {
    return { state: idle(state), effects: [{ type: 'timer', ms: undefined }] };
  }
  switch (state.phase) {
    case 'starting':
    case 'running':
      return stopBy(state, mode, limits);
    case 'stopping':
      return strength(mode) > strength(state.mode ?? 'fast') ? stopBy(state, mode, limits) : keep(state);
    case 'launching':
      return keep({ ...state, mode });
    default:
      return keep(state);
  }
}

const strength = (mode: StopMode): number => ['fast', 'immediate', 'kill'].indexOf(mode);

function stopBy(state: Supervised, mode: StopMode, limits: SupervisorLimits): Step {
  if (mode === 'kill') return clean({ ...state, mode });
  const ms = mode === 'fast' ? limits.stopFastMs : limits.stopImmediateMs;
  return {
    state: { ...state, phase: 'stopping', mode },
    effects: [
      { type: 'signal', mode },
      { type: 'timer', ms },
    ],
  };
}

function onLaunched(state: Supervised, pid: number, now: number, limits: SupervisorLimits): Step {
  const started: Supervised = { ...state, pid, startedAt: now };
  if (state.phase !== 'launching') return clean(started);
  // The stop came before there was a process to signal; nothing was acknowledged yet.
  if (!state.wanted) return clean(started);
  return {
    state: { ...started, phase: 'starting', mode: undefined },
    effects: [{ type: 'timer', ms: limits.startMs }, { type: 'awaitReady' }],
  };
}

function onReady(state: Supervised, limits: SupervisorLimits): Step {
  if (state.phase !== 'starting') return keep(state);
  return {
    state: { ...state, phase: 'running', message: undefined },
    effects: [{ type: 'timer', ms: limits.quietMs }],
  };
}

function onExit(state: Supervised, exit: { code?: number; signal?: string }, now: number): Step {
  const { code, signal } = exit;
  const seen = { ...state, exit: { at: now, code, signal, wanted: wasStopped(state) } };
  // While it is being cleaned the proof is on its way and counts for this process too.
  return state.phase === 'cleaning' || state.phase === 'idle' ? keep(seen) : clean(seen);
}

function onCleaned(state: Supervised, how: { now: number; hold: boolean }, limits: SupervisorLimits): Step {
  if (state.phase !== 'cleaning') return keep(state);
  if (!state.wanted) return keep(idle(state));
  if (state.isAwaited) return launch({ ...gone(state), failures: 0, message: undefined });
  const { now, hold } = how;
  if (hold) return keep({ ...gone(state), phase: 'holding', failures: state.failures + 1 });
  const ms = limits.backoffMs[Math.min(state.failures, limits.backoffMs.length - 1)] ?? 0;
  return {
    state: { ...gone(state), phase: 'waiting', failures: state.failures + 1, retryAt: now + ms },
    effects: [{ type: 'timer', ms }],
  };
}

const gone = (state: Supervised): Supervised => ({
  ...state,
  pid: undefined,
  startedAt: undefined,
  mode: undefined,
  isAwaited: undefined,
});
const idle = (state: Supervised): Supervised => ({
  ...gone(state),
  phase: 'idle',
  retryAt: undefined,
  failures: 0,
});

function onTimer(state: Supervised, limits: SupervisorLimits): Step {
  switch (state.phase) {
    case 'waiting':
      return launch(state);
    case 'running':
      return keep({ ...state, failures: 0 });
    case 'starting':
      return clean({ ...state, message: `no answer ${limits.startMs} ms after the start` });
    case 'stopping':
      return stopBy(state, state.mode === 'fast' ? 'immediate' : 'kill', limits);
    case 'idle':
    case 'launching':
    case 'cleaning':
    case 'holding':
      return keep(state);
  }
}
