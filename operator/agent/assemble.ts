import type { Readable, Writable } from 'node:stream';
import type { AgentConfig } from '../agent-api/config.ts';
import type { AgentState } from '../agent-api/state.ts';
import type { EngineFacts, EngineProfile } from '../engine/profile.ts';
import { withSession } from '../engine/sql.ts';
import { formatIncarnation, type Incarnation } from '../ha/incarnation.ts';
import { Agent } from './agent.ts';
import { captureOutput } from './capture.ts';
import type { Clock } from './clock.ts';
import { describeState } from './describe.ts';
import type { Guard } from './guard.ts';
import { objectionToReady } from './health.ts';
import type { Log } from './log.ts';
import { manageBySql } from './manage/manage.ts';
import { Member } from './member.ts';
import type { Places } from './places.ts';
import { killEverythingElse, strangers, type ProcessTable } from './proc.ts';
import type { ReadRecord } from './record-reader.ts';
import { RightKeeper } from './right-keeper.ts';
import { RotatingFile } from './rotate.ts';
import { StateStore } from './state-store.ts';
import { Supervisor } from './supervisor.ts';
import { Tasks } from './tasks.ts';
import { completeUpstream } from './upstream.ts';
import { Volume } from './volume.ts';

/** What an agent is made of; main.ts gives the real things, tests others. */
export interface AgentWorld {
  config: AgentConfig;
  me: Incarnation;
  /** Release of this program. */
  program: string;
  profile: EngineProfile;
  engine: AgentState['engine'];
  places: Places;
  guard: Pick<Guard, 'pid' | 'tell'>;
  table: ProcessTable;
  read: ReadRecord;
  /** Why no engine may run in this pod. */
  objection: string | undefined;
  clock: Clock;
  out: Writable;
  log: Log;
}

export interface AssembledAgent {
  agent: Agent;
  /** Why it is not ready, or undefined. */
  ready: () => Promise<string | undefined>;
  /** Does by itself what a fresh agent does. */
  boot: () => Promise<void>;
  /** Makes a running engine load renewed certificates. @throws Error when that has to be tried again */
  renewEngineTls: () => Promise<void>;
}

/** An engine that runs this long after its start is past its early failures. */
const QUIET_MS = 60_000;
const BACKOFF_MS = [0, 500, 1_000, 2_000, 5_000, 10_000, 30_000];

export async function assembleAgent(world: AgentWorld): Promise<AssembledAgent> {
  const { config, me, profile, places, guard, table, clock, log, read } = world;
  const store = await StateStore.open(places.state);
  const volume = new Volume(places.identity, config.cluster.uid, () => profile.look());
  const keep = (): Set<number> => new Set([process.pid, guard.pid ?? process.pid]);
  const observe = (signal: AbortSignal): Promise<EngineFacts> => profile.observe(signal);
  const observeInTime = (): Promise<EngineFacts | undefined> =>
    observe(AbortSignal.timeout(config.limits.observeMs)).catch(() => undefined);
  const tasks = new Tasks(clock, log);
  const supervisor = new Supervisor({
    launch: () => member.launch(),
    isReady: signal => member.isReady(signal),
    capture: engineLog(world),
    keep,
    table,
    clock,
    limits: { ...config.limits, quietMs: QUIET_MS, backoffMs: BACKOFF_MS },
    log,
  });
  const right = new RightKeeper({
    me,
    clusterUid: config.cluster.uid,
    ttlMs: config.limits.rightTtlMs,
    read,
    clock,
    tellGuard: order => guard.tell(order),
    onLost: reason => void agent.fence(reason),
    log,
  });
  const member: Member = new Member({
    me,
    profile,
    store,
    volume,
    supervisor,
    right,
    read,
    completeUpstream: upstream =>
      completeUpstream(upstream, {
        secretFile: config.paths.replicator,
        directory: places.private,
        applicationName: formatIncarnation(me),
      }),
    killEverythingElse: () =>
      killEverythingElse(table, { keep, sleep: ms => new Promise(resolve => void clock.after(ms, resolve)) }),
    objection: world.objection,
    limits: config.limits,
  });
  const bootedAt = clock.now();
  const isRunning = (): boolean => supervisor.state.phase === 'running';
  const state = async (): Promise<AgentState> => {
    const volumeState = await volume.state();
    const facts = isRunning() ? await observeInTime() : undefined;
    return describeState({
      config,
      incarnation: formatIncarnation(me),
      program: world.program,
      bootedAt,
      now: clock.now(),
      engine: world.engine,
      store: store.now,
      settingsHash: store.settingsHash,
      volume: volumeState,
      supervised: supervisor.state,
      serves: role => profile.serves(role),
      facts,
      right: right.state,
      boottime: clock.boottime(),
      task: tasks.latest,
      isAlone: strangers(table, keep()).length === 0,
    });
  };
  const agent: Agent = new Agent({
    clusterUid: config.cluster.uid,
    incarnation: formatIncarnation(me),
    store,
    tasks,
    member,
    supervisor,
    right,
    manage: manageBySql(profile, withSession),
    state,
    log,
  });
  const streamed = new StreamWitness(() => supervisor.state.pid);

  return {
    agent,
    boot: () => member.boot(),
    ready: async () => {
      const { plan } = store.now;
      const isServing = plan.role === 'stopped' || profile.serves(plan.role);
      const facts = isRunning() ? await observeInTime() : undefined;
      const { phase } = supervisor.state;
      return objectionToReady({ plan, phase, isServing, facts, hasStreamed: streamed.see(facts) });
    },
    renewEngineTls: async () => {
      if (!isRunning()) return;
      if (tasks.isBusy) throw new Error(`task "${tasks.latest?.kind ?? ''}" runs`);
      await profile.configure(store.now.settings);
    },
  };
}

/** Remembers whether the follower that runs now has streamed. */
class StreamWitness {
  readonly #pid: () => number | undefined;
  #seen: number | undefined;

  constructor(pid: () => number | undefined) {
    this.#pid = pid;
  }

  see(facts: EngineFacts | undefined): boolean {
    if (facts?.streaming === true) this.#seen = this.#pid();
    return this.#seen !== undefined && this.#seen === this.#pid();
  }
}

function engineLog({ places, config, out, log }: AgentWorld): (source: Readable, stream: 'stdout' | 'stderr') => void {
  const { logFileBytes: maxBytes, logFiles: files } = config.limits;
  const file = new RotatingFile({ path: places.engineLog, maxBytes, files });
  return (source, stream) => void captureOutput(source, { stream, out, file, log });
}
