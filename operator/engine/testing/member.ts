import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Topology } from '../../model/roles.ts';
import { formatPassFile } from '../conf.ts';
import { writeFileAtomic } from '../files.ts';
import type { EngineOptions } from '../options.ts';
import { realTools } from '../options.ts';
import { processesIn } from '../processes.ts';
import type { EngineProfile, LaunchRequest, Settings, Upstream } from '../profile.ts';
import { openEngine } from '../select.ts';
import { SLOT_PREFIX } from '../slots.ts';
import { quoteIdentifier, quoteLiteral, withSession } from '../sql.ts';
import type { TestCa } from './certificates.ts';
import { createTestCa } from './certificates.ts';
import { engineUser, findPostgres } from './install.ts';

/** Small enough for several engines on a laptop. */
export const SMALL: Settings = {
  shared_buffers: '16MB',
  max_connections: '20',
  max_wal_size: '64MB',
  min_wal_size: '32MB',
};

export const REPLICATOR_PASSWORD = "it's a \\ long:password";

/** Waits until `check` holds. @throws Error naming `what` after 10 s */
export async function eventually(what: string, check: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`not within 10 s: ${what}`);
    await sleep(10);
  }
}

/** Members of one test on real engines, under one directory that goes with them. */
export class Bench {
  readonly directory: string;
  readonly ca: TestCa;
  readonly members: Member[] = [];
  readonly #user: EngineOptions['user'];
  /** Programs of a PolarDB; PostgreSQL is the machine's. */
  readonly #polarBinDir: string | undefined;

  private constructor(directory: string, ca: TestCa, user: EngineOptions['user'], polarBinDir?: string) {
    this.directory = directory;
    this.ca = ca;
    this.#user = user;
    this.#polarBinDir = polarBinDir;
  }

  /** @param polarBinDir programs of a PolarDB; without it the members run the machine's PostgreSQL */
  static async open(polarBinDir?: string): Promise<Bench> {
    await findPostgres();
    const user = await engineUser();
    const directory = await mkdtemp(join(tmpdir(), 'engine-'));
    await chmod(directory, 0o755);
    return new Bench(directory, await createTestCa(), user, polarBinDir);
  }

  /** A member with directories, certificate and port of its own; in `share` all have one shared directory. */
  async member(name: string, topology: Topology = 'local'): Promise<Member> {
    const place = (part: string) => join(this.directory, part);
    for (const part of [name, `${name}/data`, `${name}/run`, `${name}/tls`, 'shared'])
      await this.#makeDirectory(place(part));
    const options: EngineOptions = {
      dataDir: place(`${name}/data`),
      sharedDir: place('shared'),
      runDir: place(`${name}/run`),
      tls: await this.ca.issue(place(`${name}/tls`), `${name}.test`),
      port: await freePort(),
      user: this.#user,
      ...(this.#polarBinDir !== undefined && { binDir: this.#polarBinDir, hostId: this.members.length + 1 }),
    };
    const dbType = this.#polarBinDir === undefined ? 'postgresql' : 'polardb';
    const profile = await openEngine({ dbType, topology }, options);
    const member = new Member(name, profile, options);
    this.members.push(member);
    return member;
  }

  async close(): Promise<void> {
    for (const member of this.members) await member.kill();
    await rm(this.directory, { recursive: true, force: true });
  }

  async #makeDirectory(path: string): Promise<void> {
    await mkdir(path, { recursive: true });
    if (this.#user) await chown(path, this.#user.uid, this.#user.gid);
  }
}

/** An engine and the least that a supervisor does for it. */
export class Member {
  readonly name: string;
  readonly profile: EngineProfile;
  readonly options: EngineOptions;
  log = '';
  #child: ChildProcess | undefined;

  constructor(name: string, profile: EngineProfile, options: EngineOptions) {
    this.name = name;
    this.profile = profile;
    this.options = options;
  }

  get pgdata(): string {
    const { engine, topology } = this.profile;
    const isShared = engine === 'postgresql' && topology === 'share';
    return join(isShared ? this.options.sharedDir! : this.options.dataDir, 'pgdata');
  }

  async start(request: LaunchRequest): Promise<void> {
    const launch = await this.profile.launch(request);
    const child = spawn(launch.command, launch.args, {
      env: launch.env,
      cwd: launch.cwd,
      uid: launch.user?.uid,
      gid: launch.user?.gid,
      stdio: ['ignore', 'inherit', 'pipe'],
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.log += text));
    this.#child = child;
  }

  /** Starts as RW and waits until it accepts writes. */
  async startRw(settings: Settings = SMALL, epoch = 1): Promise<void> {
    await this.start({ role: 'rw', settings });
    await this.promote(epoch);
  }

  async startFollower(upstream: Upstream, settings: Settings = SMALL): Promise<void> {
    await this.start({ role: 'ro', upstream, settings });
    await this.streams();
  }

  async streams(): Promise<void> {
    await eventually(`${this.name} streams`, async () => {
      const facts = await this.profile.observe(AbortSignal.timeout(2000)).catch(() => undefined);
      return facts?.streaming === true;
    });
  }

  promote(epoch: number): Promise<void> {
    return this.profile.promote(epoch, AbortSignal.timeout(10_000));
  }

  /** Fast stop. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child?.exitCode !== null) return;
    child.kill('SIGINT');
    await once(child, 'exit');
  }

  /** SIGKILL to every process of the engine, as a self-fence does. */
  async kill(): Promise<void> {
    for (const pid of await processesIn(this.pgdata)) realTools.signal(pid, 'SIGKILL');
    await eventually(`${this.name} is gone`, async () => (await processesIn(this.pgdata)).length === 0);
  }

  async sql<Row = Record<string, unknown>>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return withSession(this.profile.sql, session => session.query<Row>(text, values));
  }

  /** Makes replication role and slot on this RW and says how `follower` reaches it. */
  async upstreamFor(follower: Member): Promise<Upstream> {
    const password = quoteLiteral(REPLICATOR_PASSWORD);
    const [role] = await this.sql("SELECT 1 FROM pg_roles WHERE rolname = 'replicator'");
    if (!role) await this.sql(`CREATE ROLE ${quoteIdentifier('replicator')} REPLICATION LOGIN PASSWORD ${password}`);
    const slot = `${SLOT_PREFIX}${follower.name}`;
    const [found] = await this.sql('SELECT 1 FROM pg_replication_slots WHERE slot_name = $1', [slot]);
    if (!found) await this.sql('SELECT pg_create_physical_replication_slot($1, true)', [slot]);
    const passFile = join(follower.options.runDir, 'passfile');
    await writeFileAtomic(passFile, formatPassFile('replicator', REPLICATOR_PASSWORD), follower.options.user);
    const { port } = this.options;
    return {
      host: `${this.name}.test`,
      address: '127.0.0.1',
      port,
      slot,
      applicationName: `${follower.name}/uid/1`,
      passFile,
    };
  }
}

/** Below the range of outgoing connections, which could take the port before the engine does. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const server = createServer();
    const free = await new Promise<boolean>(resolve => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    await new Promise(resolve => server.close(resolve));
    if (free) return port;
  }
}
