import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { AgentConnector } from '../agent-api/client.ts';
import { AGENT_CONFIG_ENV, parseAgentConfig, POD_UID_ENV, type AgentConfig } from '../agent-api/config.ts';
import type { AgentState } from '../agent-api/state.ts';
import type { EngineProfile } from '../engine/profile.ts';
import { openEngine } from '../engine/select.ts';
import { formatIncarnation, type Incarnation } from '../ha/incarnation.ts';
import { assembleAgent } from './assemble.ts';
import { systemClock } from './clock.ts';
import { Guard } from './guard.ts';
import { startHealthServer } from './health.ts';
import { jsonLog, messageOf, type Log } from './log.ts';
import { preparePlaces, type Places } from './places.ts';
import { initCommand, objectionToNamespace, procTable } from './proc.ts';
import { inPod, recordReader } from './record-reader.ts';
import { endApiServer, renewTls, startApiServer } from './server.ts';
import { readTls, watchTls } from './tls-files.ts';
import { unfitEngine } from './unfit.ts';
import { PROGRAM_VERSION } from '../model/version.ts';

/**
 * The agent shares the engine's memory limit. V8's optimizing compilers take 9 MiB as soon as they are used, and nothing here
 * runs often enough to need them. As start options these would keep Node.js from using the compiled form of its own modules.
 */
for (const flag of ['--optimize-for-size', '--no-opt', '--no-maglev']) setFlagsFromString(flag);

/** The kubelet keeps what stands here when the container ends: who it was that ended (ha/ladder.ts, rung 2). */
const TERMINATION_LOG = '/dev/termination-log';

/** What was asked before the end gets its answer, ms. */
const LAST_ANSWERS_MS = 300;

/** The agent of one engine container: beside this program `../bin/busybox`, PID 1 is tini. */
async function main(): Promise<void> {
  const config = parseAgentConfig(process.env[AGENT_CONFIG_ENV] ?? '');
  const me = incarnation(config);
  const { namespace, name } = config.cluster;
  const log = jsonLog(line => void process.stdout.write(line), {
    cluster: `${namespace}/${name}`,
    instance: me.instanceId,
  });
  endOnError(log);
  const objection = objectionToNamespace(process.ppid, initCommand());
  log.info('agent starts', { incarnation: formatIncarnation(me), objection });
  leaveLastWords(formatIncarnation(me), log);

  const places = await preparePlaces(config);
  const { profile, engine } = await findEngine(config, places, log);
  const guard = new Guard({ busybox: busyboxPath(), log, onLost: reason => endAtOnce(log, reason) });
  await guard.start();
  const tls = await readTls(config.paths.tls);
  const { record, limits } = config;
  const peers = new AgentConnector(tls);
  const assembled = await assembleAgent({
    config,
    me,
    program: PROGRAM_VERSION,
    profile,
    engine,
    places,
    guard,
    table: procTable(),
    read: recordReader({ ...record, ...inPod(process.env), limitMs: limits.recordMs }),
    clientOf: peer => peers.to(peer),
    reach: (endpoint, limitMs) => peers.reach(endpoint, limitMs),
    objection,
    clock: systemClock,
    out: process.stdout,
    log,
  });
  const { agent, beats } = assembled;
  const onBeats = beats.add.bind(beats);
  const server = await startApiServer({ port: config.ports.agent, tls, calls: agent, onBeats, log });
  await startHealthServer(config.ports.health, assembled.ready);
  watchTls({
    directory: config.paths.tls,
    current: tls,
    clock: systemClock,
    onRenewed: async renewed => {
      renewTls(server, renewed);
      peers.renew(renewed);
      await assembled.renewEngineTls();
    },
    log,
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log.info('told to end', { signal });
      void assembled
        .leave()
        .then(() => endApiServer(server, LAST_ANSWERS_MS))
        .finally(() => {
          guard.close();
          process.exit(0);
        });
    });
  }
  await assembled.boot();
  log.info('agent is up', { ports: config.ports, volume: (await agent.state()).volume.state });
}

function incarnation({ instanceId }: AgentConfig): Incarnation {
  const podUid = process.env[POD_UID_ENV];
  if (!podUid) throw new Error(`${POD_UID_ENV} is not set`);
  return { instanceId, podUid, nonce: randomBytes(8).toString('hex') };
}

/** Whatever this program did not foresee: its end ends PID 1 and with it every process of the engine. */
function endAtOnce(log: Log, reason: string): never {
  log.error('agent gives up, the container ends', { reason });
  process.exit(1);
}

function endOnError(log: Log): void {
  process.on('uncaughtException', error => endAtOnce(log, error.stack ?? error.message));
}

function leaveLastWords(text: string, log: Log): void {
  try {
    // Never made when it is missing: outside a pod /dev is not ours.
    writeFileSync(TERMINATION_LOG, text, { flag: 'r+' });
  } catch (error) {
    log.warn('the termination log cannot be written', { reason: messageOf(error) });
  }
}

interface FoundEngine {
  profile: EngineProfile;
  engine: AgentState['engine'];
}

async function findEngine(config: AgentConfig, places: Places, log: Log): Promise<FoundEngine> {
  const { dbType, topology } = config;
  try {
    const profile = await openEngine({ dbType, topology }, places.engine);
    return { profile, engine: { name: dbType, version: profile.image?.version } };
  } catch (error) {
    const problem = error instanceof Error ? error : new Error(String(error));
    log.error('the image does not hold the engine', { reason: problem.message });
    return { profile: unfitEngine(config, problem), engine: { name: dbType, problem: problem.message } };
  }
}

/** The tree in the pod is program/agent.mjs and bin/busybox. */
const busyboxPath = (): string => join(dirname(import.meta.dirname), 'bin', 'busybox');

await main();
