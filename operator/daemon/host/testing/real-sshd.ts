import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const SSHD = '/usr/sbin/sshd';
const LOOPBACK = '127.0.0.1';

/** OpenSSH's server; on Debian as root it is installed when it is missing. Its package would start one of its own. */
export const ensureSshd = (): Promise<void> => ensurePackage('openssh-server', SSHD);

/** As {@link ensureSshd}. */
export const ensureSudo = (): Promise<void> => ensurePackage('sudo', '/usr/bin/sudo');

async function ensurePackage(name: string, program: string): Promise<void> {
  if (existsSync(program)) return;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args: string[]): Promise<unknown> =>
    execute('apt-get', ['-qq', '-y', '-o', 'DPkg::Lock::Timeout=300', ...args], { env });
  await apt('update');
  await apt('install', '--no-install-recommends', name);
}

/** Where a server runs. */
export interface SshdPlace {
  /** Its directory is made below this one. */
  below: string;
  /** Where it listens, as seen from here. */
  address: string;
  port: number;
  /** A command that runs another one there, among the processes of this machine. */
  enter: readonly [string, ...string[]];
}

/** A server of OpenSSH with keys and an account of its own, for one test: on this machine, or on one that it carries. */
export class RealSshd {
  readonly directory: string;
  readonly #place: SshdPlace;
  #process: ChildProcess | undefined;

  private constructor(directory: string, place: SshdPlace) {
    this.directory = directory;
    this.#place = place;
  }

  static async make(place: Partial<SshdPlace> = {}): Promise<RealSshd> {
    const { port = await freePort() } = place;
    const at: SshdPlace = { below: tmpdir(), address: LOOPBACK, enter: ['env'], ...place, port };
    const sshd = new RealSshd(await mkdtemp(join(at.below, 'sshd-')), at);
    await sshd.newKey('host_key');
    await sshd.newKey('key');
    await sshd.letIn('key');
    return sshd;
  }

  get port(): number {
    return this.#place.port;
  }

  path = (name: string): string => join(this.directory, name);

  /** Makes a pair of keys in place of the one that has this name. */
  async newKey(name: string): Promise<void> {
    await Promise.all([rm(this.path(name), { force: true }), rm(this.path(`${name}.pub`), { force: true })]);
    await execute('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', this.path(name)]);
  }

  /** The only key that the account takes. */
  async letIn(name: string): Promise<void> {
    await writeFile(this.path('authorized_keys'), await readFile(this.path(`${name}.pub`), 'utf8'));
  }

  /** A line of known_hosts with the present key. */
  async knownAs(host: string): Promise<string> {
    return `${host} ${await readFile(this.path('host_key.pub'), 'utf8')}`;
  }

  /** @param more lines of sshd_config */
  async start(...more: string[]): Promise<void> {
    const { address, port, enter } = this.#place;
    const config = [
      `Port ${port}`,
      `ListenAddress ${address}`,
      ...(address === LOOPBACK ? [] : [`ListenAddress ${LOOPBACK}`]),
      `HostKey ${this.path('host_key')}`,
      `AuthorizedKeysFile ${this.path('authorized_keys')}`,
      'PidFile none',
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      'PermitRootLogin prohibit-password',
      // Keeps bash from reading the start file of whoever runs the test.
      'SetEnv SHLVL=1',
      ...more,
    ];
    await writeFile(this.path('sshd_config'), `${config.join('\n')}\n`);
    const [command, ...args] = enter;
    await execute(command, [...args, 'mkdir', '-p', '/run/sshd']);
    this.#process = spawn(command, [...args, SSHD, '-D', '-e', '-f', this.path('sshd_config')], { stdio: 'ignore' });
    await listening(address, port);
  }

  /** The server and the processes of all its connections, newest last. */
  async pids(): Promise<number[]> {
    const { pid } = this.#process ?? {};
    return pid === undefined ? [] : [pid, ...(await descendants(pid))];
  }

  async signal(name: NodeJS.Signals): Promise<void> {
    for (const pid of await this.pids()) kill(pid, name);
  }

  /** Ends the server and all connections, as `kill -9` does. */
  async stop(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    await this.signal('SIGKILL');
    await ended;
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.directory, { recursive: true });
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function descendants(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const children = text.split(' ').filter(Boolean).map(Number);
  return [...children, ...(await Promise.all(children.map(descendants))).flat()];
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

async function listening(address: string, port: number): Promise<void> {
  const end = Date.now() + 5_000;
  for (;;) {
    const socket = connect(port, address);
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    if (Date.now() > end) throw new Error(`sshd does not listen at ${address} port ${port}`);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}
