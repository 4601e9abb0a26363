import { build } from 'esbuild';
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, chown, cp, link, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentConnector, type AgentClient, type AgentEndpoint } from '../../agent-api/client.ts';
import { AGENT_CONFIG_ENV, POD_UID_ENV, type AgentConfigInput } from '../../agent-api/config.ts';
import type { Command } from '../../agent-api/schemas.ts';
import { engineUser, findPostgres } from '../../engine/testing/install.ts';
import { commandStamp } from '../../ha/record.ts';
import { createCa } from '../../pki/ca.ts';
import type { KeyedCertificate } from '../../pki/keys.ts';
import { issueLeaf } from '../../pki/leaf.ts';
import type { Topology } from '../../model/roles.ts';
import { LeaseServer } from './api-server.ts';
import { findHelpers, HELPERS } from './helpers.ts';
import { eventually, members, type Outer } from './namespace.ts';

export const CLUSTER = { namespace: 'db', name: 'orders', uid: 'cluster-uid-1' };
export const REPLICATOR_PASSWORD = 'replicator-secret-1';
const RW_HOST = 'orders-rw.db.svc';

/** One cluster's surroundings: certificates, an API server with the record, the program bundled as in the image. */
export class Site {
  readonly directory: string;
  readonly ca: KeyedCertificate;
  readonly api: LeaseServer;
  readonly #user: { uid: number; gid: number };
  readonly #pods: Pod[] = [];
  readonly #connectors: AgentConnector[] = [];
  #requests = 0;

  private constructor(directory: string, ca: KeyedCertificate, api: LeaseServer, user: { uid: number; gid: number }) {
    this.directory = directory;
    this.ca = ca;
    this.api = api;
    this.#user = user;
  }

  /** Node.js, where every user may start it. */
  get node(): string {
    return join(this.directory, 'bin/node');
  }

  static async open(): Promise<Site> {
    await Promise.all([findHelpers(), findPostgres()]);
    const user = await engineUser();
    if (!user) throw new Error('tests with PID namespaces need root');
    const directory = await mkdtemp(join(tmpdir(), 'agent-'));
    await chmod(directory, 0o755);
    const ca = await createCa({ now: new Date() });
    const tls = await issueLeaf(
      ca,
      { subject: { part: 'api', name: 'api' }, sans: ['127.0.0.1'] },
      { now: new Date() },
    );
    const api = await LeaseServer.start(tls, CLUSTER.namespace, `${CLUSTER.name}-primary`);
    const site = new Site(directory, ca, api, user);
    await site.#installProgram();
    return site;
  }

  /** Who calls agents, by a certificate of this part. */
  async connector(part: string, ca = this.ca): Promise<AgentConnector> {
    const leaf = await issueLeaf(ca, { subject: { part, name: 'test' }, sans: [] }, { now: new Date() });
    const connector = new AgentConnector({ ca: this.ca.certificate, cert: leaf.certificate, key: leaf.key });
    this.#connectors.push(connector);
    return connector;
  }

  /** A pod with a volume of its own; the agent in it is not started yet. */
  async pod(instanceId: string, topology: Topology = 'local'): Promise<Pod> {
    const [engine, agent, health] = await Promise.all([freePort(), freePort(), freePort()]);
    const at = (part: string): string => join(this.directory, instanceId, part);
    for (const part of ['data', 'run', 'tls', 'secret', 'credentials']) await mkdir(at(part), { recursive: true });
    await mkdir(join(this.directory, 'shared'), { recursive: true });
    const config: AgentConfigInput = {
      cluster: CLUSTER,
      group: CLUSTER.name,
      instanceId,
      dbType: 'postgresql',
      topology,
      ports: { engine: engine, agent: agent, health: health },
      paths: {
        data: at('data'),
        ...(topology === 'share' ? { shared: join(this.directory, 'shared') } : {}),
        run: at('run'),
        tls: at('tls'),
        replicator: at('secret/Password'),
        log: at('data/log'),
      },
      record: { namespace: CLUSTER.namespace, leaseName: `${CLUSTER.name}-primary` },
      limits: { stopFastMs: 5_000, stopImmediateMs: 2_000, promoteMs: 20_000 },
    };
    await writeFile(at('secret/Password'), REPLICATOR_PASSWORD);
    await writeFile(at('credentials/token'), this.api.token);
    await writeFile(at('credentials/ca.crt'), this.ca.certificate);
    await this.renewCertificate(at('tls'), instanceId);
    const { uid, gid } = this.#user;
    for (const path of [at('data'), at('run'), at('tls/tls.key'), join(this.directory, 'shared')])
      await chown(path, uid, gid);
    const client = await this.#client({ address: '127.0.0.1', port: agent, serverName: `orders-${instanceId}` });
    const pod = new Pod({ site: this, config, directory: join(this.directory, instanceId), client, user: this.#user });
    this.#pods.push(pod);
    return pod;
  }

  /** Each call as the part that may make it. */
  async #client(endpoint: AgentEndpoint): Promise<AgentClient> {
    const [manager, operator] = await Promise.all([this.connector('cluster-manager'), this.connector('operator')]);
    const opens = operator.to(endpoint);
    return { ...manager.to(endpoint), account: it => opens.account(it), database: it => opens.database(it) };
  }

  /** Where the agent of this pod is reached. */
  endpoint(pod: Pod): AgentEndpoint {
    const { instanceId, ports } = pod.config;
    return { address: '127.0.0.1', port: ports.agent, serverName: `orders-${instanceId}` };
  }

  async renewCertificate(directory: string, instanceId: string): Promise<void> {
    const sans = [`orders-${instanceId}`, RW_HOST, '127.0.0.1'];
    const leaf = await issueLeaf(
      this.ca,
      { subject: { part: 'agent', name: `orders-${instanceId}` }, sans },
      { now: new Date() },
    );
    await writeFile(join(directory, 'tls.crt'), leaf.certificate);
    await writeFile(join(directory, 'tls.key'), leaf.key, { mode: 0o600 });
    await writeFile(join(directory, 'ca.crt'), this.ca.certificate);
  }

  /** A fresh command to this incarnation on the strength of the record. */
  command(incarnation: string): Command {
    const { record } = this.api;
    const stamp = record ? commandStamp(record) : { clusterUid: CLUSTER.uid, epoch: 1, term: 1, generation: 1 };
    return { requestId: `r${++this.#requests}`, incarnation, ...stamp };
  }

  async close(): Promise<void> {
    for (const pod of this.#pods) await pod.kill();
    for (const connector of this.#connectors) connector.close();
    this.api.close();
    await rm(this.directory, { recursive: true, force: true });
  }

  async #installProgram(): Promise<void> {
    const root = join(import.meta.dirname, '../../..');
    await mkdir(join(this.directory, 'bin'));
    await cp(HELPERS.busybox, join(this.directory, 'bin/busybox'));
    // Below /root, where a project may lie, the agent's user finds no program.
    await link(process.execPath, this.node).catch(() => cp(process.execPath, this.node));
    // As scripts/images does it.
    const banner = "import { createRequire as __r } from 'node:module'; const require = __r(import.meta.url);";
    await build({
      absWorkingDir: root,
      entryPoints: ['operator/agent/main.ts'],
      bundle: true,
      outfile: join(this.directory, 'program/agent.mjs'),
      format: 'esm',
      platform: 'node',
      target: 'node24',
      external: ['pg-native', 'cloudflare:sockets'],
      banner: { js: banner },
      logLevel: 'silent',
    });
  }
}

interface PodParts {
  site: Site;
  config: AgentConfigInput;
  directory: string;
  client: AgentClient;
  user: { uid: number; gid: number };
}

/** As the builder of pods sets them. */
const NODE_FLAGS = ['--max-old-space-size=48', '--max-semi-space-size=1', '--use-openssl-ca'];

/**
 * Shell text that makes a pod's view: own /run with the service account where Kubernetes mounts it. Data comes as
 * arguments.
 */
const ENTER = `
mount -t tmpfs none /run && mkdir -p /run/secrets/kubernetes.io/serviceaccount &&
cp "$1"/* /run/secrets/kubernetes.io/serviceaccount && shift && exec "$@"`;

/** One pod of a member: restarts of its container keep volume and pod UID. */
export class Pod {
  readonly uid = randomUUID();
  readonly config: AgentConfigInput;
  readonly client: AgentClient;
  readonly directory: string;
  readonly #parts: PodParts;
  #child: ChildProcess | undefined;
  #output = '';

  constructor(parts: PodParts) {
    this.#parts = parts;
    this.config = parts.config;
    this.client = parts.client;
    this.directory = parts.directory;
  }

  /**
   * Starts the container.
   * @param init its PID 1
   * @returns the incarnation once the agent answers
   */
  async start(init: readonly string[] = [HELPERS.tini, '-s', '--']): Promise<string> {
    const { site, directory, user, config } = this.#parts;
    const identity = ['--reuid', String(user.uid), '--regid', String(user.gid), '--clear-groups', '--no-new-privs'];
    const agent = [site.node, ...NODE_FLAGS, join(site.directory, 'program/agent.mjs')];
    const inside = [
      'sh',
      '-c',
      ENTER,
      'enter',
      join(directory, 'credentials'),
      'setpriv',
      ...identity,
      ...init,
      ...agent,
    ];
    const child = spawn('unshare', ['--pid', '--mount', '--fork', '--mount-proc', '--kill-child', ...inside], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: '/usr/bin:/bin:/usr/sbin:/sbin',
        MALLOC_ARENA_MAX: '1',
        [AGENT_CONFIG_ENV]: JSON.stringify(config),
        [POD_UID_ENV]: this.uid,
        KUBERNETES_SERVICE_HOST: '127.0.0.1',
        KUBERNETES_SERVICE_PORT: String(site.api.port),
      },
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text: Buffer) => (this.#output += text.toString()));
    this.#child = child;
    const state = await eventually(`the agent answers; it said: ${this.#output}`, () => {
      if (child.exitCode !== null) throw new Error(`the agent ended: ${this.#output}`);
      return this.client.state().catch(() => undefined);
    });
    return state.incarnation;
  }

  /** All that the container wrote. */
  get output(): string {
    return this.#output;
  }

  members(): Outer[] {
    return members(this.#child?.pid ?? 0);
  }

  /** PID of the agent, seen from outside. */
  get agentPid(): number {
    return this.members().find(it => it.command.endsWith('agent.mjs') && it.command.startsWith(this.#parts.site.node))!
      .pid;
  }

  /** Postmaster's PID, seen from outside. */
  get postmaster(): number | undefined {
    return this.members().find(it => / -D .*config_file/.test(it.command))?.pid;
  }

  /** What a line of /proc says of the agent's memory, KiB. */
  async memory(field: 'VmRSS' | 'RssAnon' = 'VmRSS'): Promise<number> {
    const status = await readFile(`/proc/${this.agentPid}/status`, 'latin1');
    return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.agentPid, signal);
  }

  /** Resolves when the container has ended. */
  async ended(): Promise<void> {
    const child = this.#child;
    await eventually('the container ends', () => child?.exitCode !== null || child.signalCode !== null, 20_000);
  }

  async kill(): Promise<void> {
    if (!this.#child || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    // The end of PID 1 ends the namespace. (`--kill-child` of unshare does not outlive the change of user.)
    const init = this.members()[0];
    if (init) process.kill(init.pid, 'SIGKILL');
    await this.ended();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise(resolve => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}
