import { API_VERSION } from '../agent-api/schemas.ts';
import type { AgentState, TaskState } from '../agent-api/state.ts';
import type { EngineFacts, EngineProfile } from '../engine/profile.ts';
import { holds, type RightState } from '../ha/right.ts';
import type { AgentConfig } from '../agent-api/config.ts';
import type { Persisted } from './state-store.ts';
import { wasStopped, type Phase, type Supervised } from './supervise.ts';
import type { VolumeState } from './volume.ts';

/** What the state of the engine's process is told from. */
export interface ProcessView {
  store: Readonly<Persisted>;
  supervised: Supervised;
  serves: EngineProfile['serves'];
}

/** What "stopped" is told from. */
export interface RestView {
  now: Date;
  store: Readonly<Persisted>;
  supervised: Supervised;
  task: TaskState | undefined;
  /** Nothing but PID 1, agent and guard in /proc; asked last, and only when all the rest says so. */
  isAlone: () => boolean;
}

/** Everything that the state of an agent is told from, looked at once. */
export interface StateView extends ProcessView, RestView {
  config: AgentConfig;
  incarnation: string;
  program: string;
  bootedAt: Date;
  engine: AgentState['engine'];
  settingsHash: string;
  volume: VolumeState;
  facts: EngineFacts | undefined;
  right: RightState;
  boottime: number;
}

/** The answer of `GET /v1/state`. */
export function describeState(view: StateView): AgentState {
  const { config, store } = view;
  return {
    apiVersion: API_VERSION,
    program: view.program,
    incarnation: view.incarnation,
    bootedAt: view.bootedAt.toISOString(),
    cluster: config.cluster,
    group: config.group,
    instanceId: config.instanceId,
    engine: view.engine,
    highest: store.highest,
    volume: view.volume,
    plan: store.plan,
    process: describeProcess(view),
    stopped: describeStopped(view),
    facts: view.facts && { ...view.facts, pendingRestart: [...view.facts.pendingRestart] },
    right: describeRight(view.right, view.boottime),
    task: view.task,
    settingsHash: view.settingsHash,
  };
}

/** Stopped (protocol): the demotion is durable and /proc is empty; never said while something may still start. */
export function describeStopped(view: RestView): AgentState['stopped'] {
  const { store, supervised, task, isAlone, now } = view;
  const isAtRest = supervised.phase === 'idle' && store.plan.role !== 'rw' && task?.state !== 'running';
  if (!isAtRest || store.demotedEpoch === undefined || !isAlone()) return undefined;
  return { epoch: store.demotedEpoch, at: now.toISOString() };
}

const PROCESS_STATE: Record<Phase, AgentState['process']['state']> = {
  idle: 'stopped',
  launching: 'starting',
  starting: 'starting',
  running: 'running',
  stopping: 'stopping',
  cleaning: 'stopping',
  waiting: 'crashed',
  holding: 'crashed',
};

export function describeProcess({ store, supervised, serves }: ProcessView): AgentState['process'] {
  const { phase, pid, startedAt, exit, failures, retryAt, message } = supervised;
  const { role } = store.plan;
  const isHeld = phase === 'idle' && role !== 'stopped' && !serves(role);
  return {
    state: isHeld ? 'held' : phase === 'cleaning' && !wasStopped(supervised) ? 'crashed' : PROCESS_STATE[phase],
    role: role === 'stopped' ? undefined : role,
    pid,
    startedAt: timeOf(startedAt),
    exit: exit && { at: new Date(exit.at).toISOString(), code: exit.code, signal: exit.signal, wanted: exit.wanted },
    crashes: failures,
    retryAt: timeOf(retryAt),
    message,
  };
}

const timeOf = (at: number | undefined): string | undefined =>
  at === undefined ? undefined : new Date(at).toISOString();

function describeRight(state: RightState, now: number): AgentState['right'] {
  const { right } = state;
  if (!right || !holds(state, now)) return { holds: false, kind: 'none', unbounded: false };
  const unbounded = right.until === Infinity;
  return { holds: true, kind: right.kind, unbounded, ...(unbounded ? {} : { remainingMs: right.until - now }) };
}
