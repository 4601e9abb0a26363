import type { Readable, Writable } from 'node:stream';
import type { Peer } from '../agent-api/beat.ts';
import { BEAT_MS } from '../agent-api/beat.ts';
import type { AgentEndpoint, MemberClient } from '../agent-api/client.ts';
import type { AgentConfig } from '../agent-api/config.ts';
import type { ApiUpstream } from '../agent-api/schemas.ts';
import type { AgentState } from '../agent-api/state.ts';
import type { EngineFacts, EngineProfile, Upstream } from '../engine/profile.ts';
import { withSession } from '../engine/sql.ts';
import { formatIncarnation, type Incarnation } from '../ha/incarnation.ts';
import { Agent } from './agent.ts';
import { Beats } from './beats.ts';
import { captureOutput } from './capture.ts';
import type { Clock } from './clock.ts';
import { Departure } from './departure.ts';
import { describeState } from './describe.ts';
import { Divergence } from './divergence.ts';
import type { Guard } from './guard.ts';
import { Installation } from './installation.ts';
import type { Log } from './log.ts';
import { manageBySql } from './manage/manage.ts';
import { Member, type MemberParts } from './member.ts';
import { Observer } from './observer.ts';
import type { Places } from './places.ts';
import { killEverythingElse, strangers, type ProcessTable } from './proc.ts';
import { Promises } from './promises.ts';
import { Readiness } from './readiness.ts';
import type { ReadRecord } from './record-reader.ts';
import { Replication } from './replication.ts';
import { describeReport } from './report.ts';
import { RightKeeper } from './right-keeper.ts';
import { RotatingFile } from './rotate.ts';
import { StateStore } from './state-store.ts';
import { Supervisor } from './supervisor.ts';
import { takeBeat } from './take-beat.ts';
import { Tasks } from './tasks.ts';
import { completeUpstream, removePassFile } from './upstream.ts';
import { Volume } from './volume.ts';
import { Witness } from './witness.ts';

/** What an agent is made of; main.ts gives the real things, tests others. */
export interface AgentWorld {
  config: AgentConfig;
  me: Incarnation;
  /** Release of this program. */
  program: string;
  profile: EngineProfile;
  engine: AgentState['engine'];
  places: Places;
  guard: Pick<Guard, 'pid' | 'tell' | 'heard'>;
  table: ProcessTable;
  read: ReadRecord;
  /** A client of another agent. */
  clientOf: (peer: Peer) => Pick<MemberClient, 'promises'>;
  /** Rejects when there is no agent at this endpoint, after `limitMs` at the latest. */
  reach: (endpoint: AgentEndpoint, limitMs: number) => Promise<void>;
  /** Why no engine may run in this pod. */
  objection: string | undefined;
  clock: Clock;
  out: Writable;
  log: Log;
}

export interface AssembledAgent {
  agent: Agent;
  beats: Beats;
  /** Why it is not ready, or undefined. */
  ready: () => Promise<string | undefined>;
  /** The container was told to end. */
  leave: () => Promise<void>;
  /** Does by itself what a fresh agent does. */
  boot: () => Promise<void>;
  /** Makes a running engine load renewed certificates. @throws Error when that has to be tried again */
  renewEngineTls: () => Promise<void>;
}

/** An engine that runs this long after its start is past its early failures. */
const QUIET_MS = 60_000;
const BACKOFF_MS = [0, 500, 1_000, 2_000, 5_000, 10_000, 30_000];
/** A report waits this long for a fresh look, ms; an engine that answers later than this is told of without. */
const LOOK_MS = 300;

export async function assembleAgent(world: AgentWorld): Promise<AssembledAgent> {
  const { config, me, profile, places, guard, table, clock, log, read } = world;
  const { limits } = config;
  const incarnation = formatIncarnation(me);
  const store = await StateStore.open(places.state);
  const volume = new Volume(places.identity, config.cluster.uid, () => profile.look());
  const keep = (): Set<number> => new Set([process.pid, guard.pid ?? process.pid]);
  const isAlone = (): boolean => strangers(table, keep()).length === 0;
  const observeInTime = (): Promise<EngineFacts | undefined> =>
    profile.observe(AbortSignal.timeout(limits.observeMs)).catch(() => undefined);
  const tasks = new Tasks(clock, log, () => beats.changed());
  const divergence = new Divergence();
  const supervisor = new Supervisor({
    launch: () => member.launch(),
    isReady: signal => member.isReady(signal),
    isDecidedElsewhere: () => store.now.plan.role === 'rw' && beats.isLeaderHeard,
    onChange: () => beats.changed(),
    capture: engineLog(world, divergence),
    keep,
    table,
    clock,
    limits: { ...limits, quietMs: QUIET_MS, backoffMs: BACKOFF_MS },
    log,
  });
  const promises = new Promises({
    clusterUid: config.cluster.uid,
    me,
    epoch: store.now.highest?.epoch ?? 0,
    preparedEpoch: store.now.preparedEpoch ?? 0,
    ttlMs: limits.rightTtlMs,
    read,
    isLeaderHeard: () => beats.isLeaderHeard,
    clientOf: world.clientOf,
    clock,
    log,
  });
  const right = new RightKeeper({
    me,
    clusterUid: config.cluster.uid,
    ttlMs: limits.rightTtlMs,
    read,
    askPromises: round => promises.ask(round),
    clock,
    tellGuard: order => guard.tell(order),
    guardHeard: () => guard.heard(),
    onLost: reason => void agent.fence(reason),
    log,
  });
  const complete = (upstream: ApiUpstream): Promise<Upstream> => {
    divergence.clear();
    const { private: directory } = places;
    const secretFile = config.paths.replicator;
    return completeUpstream(upstream, { secretFile, directory, applicationName: incarnation });
  };
  const replication = new Replication({
    ...{ profile, store, supervisor, right, promises },
    completeUpstream: complete,
    removePassFile: () => removePassFile(places.private),
  });
  const manage = manageBySql(profile, withSession, clock);
  const parts: MemberParts = {
    me,
    profile,
    store,
    volume,
    supervisor,
    right,
    replication,
    read,
    completeUpstream: complete,
    makeSlots: (names, signal) => manage.slots(names, signal),
    killEverythingElse: () =>
      killEverythingElse(table, { keep, sleep: ms => new Promise(resolve => void clock.after(ms, resolve)) }),
    objection: world.objection,
    limits,
    log,
  };
  const member: Member = new Member(parts);
  const bootedAt = clock.now();
  const isRunning = (): boolean => supervisor.state.phase === 'running';
  const common = () => ({
    incarnation,
    bootedAt,
    now: clock.now(),
    store: store.now,
    settingsHash: store.settingsHash,
    supervised: supervisor.state,
    serves: (role: 'rw' | 'ro' | 'standby') => profile.serves(role),
    right: right.state,
    boottime: clock.boottime(),
    task: tasks.latest,
    isAlone,
  });
  const state = async (): Promise<AgentState> => {
    const volumeState = await volume.state();
    const facts = isRunning() ? await observeInTime() : undefined;
    const { program, engine } = world;
    return describeState({ ...common(), config, program, engine, volume: volumeState, facts });
  };
  const observer = new Observer({
    profile,
    volume,
    store,
    supervisor,
    divergence,
    startingPids: () => strangers(table, keep()).map(it => it.pid),
    limitMs: limits.observeMs,
    clock,
    log,
  });
  const witness = new Witness({
    me: incarnation,
    reach: world.reach,
    silentMs: limits.silentMs,
    told: () => beats.changed(),
    clock,
    log,
  });
  const beats: Beats = new Beats({
    clock,
    beatMs: BEAT_MS,
    silentMs: limits.silentMs,
    lookMs: LOOK_MS,
    look: () => observer.look(),
    describe: () =>
      describeReport({
        ...common(),
        ...observer.seen,
        leaving: departure.hasBegun,
        problem: world.engine.problem,
        promiseAgeMs: promises.ageMs,
        prepared: replication.prepared,
        inForce: replication.inForce,
        needsRejoin: divergence.isSeen,
        probe: witness.probe,
      }),
    onQuiet: () => observer.close(),
    onBeat: (beat, sentAt) => takeBeat({ beat, sentAt, right, promises, witness }),
    log,
  });
  const agent: Agent = new Agent({
    clusterUid: config.cluster.uid,
    cluster: config.cluster.name,
    incarnation,
    store,
    tasks,
    member,
    installation: new Installation(parts),
    replication,
    promises,
    supervisor,
    right,
    manage,
    told: () => beats.changed(),
    state,
    log,
  });
  const departure: Departure = new Departure({
    ...{ beats, tasks, store, supervisor, right, clock, log },
    leaveMs: limits.leaveMs,
  });
  const readiness = new Readiness({ profile, store, supervisor, observer, clock });

  return {
    agent,
    beats,
    leave: () => departure.leave(),
    boot: () => member.boot(),
    ready: () => readiness.ask(),
    renewEngineTls: async () => {
      if (tasks.isBusy) throw new Error(`task "${tasks.latest?.kind ?? ''}" runs`);
      await member.renewTls();
    },
  };
}

function engineLog(
  { places, config, out, log }: AgentWorld,
  divergence: Divergence,
): (source: Readable, stream: 'stdout' | 'stderr') => void {
  const { logFileBytes: maxBytes, logFiles: files } = config.limits;
  const file = new RotatingFile({ path: places.engineLog, maxBytes, files });
  const onLine = (line: string): void => divergence.line(line);
  return (source, stream) => void captureOutput(source, { stream, out, file, onLine, log });
}
