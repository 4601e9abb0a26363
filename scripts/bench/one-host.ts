import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../operator/kube/clock.ts';
import { PortsJob } from '../../operator/daemon/ports/job.ts';
import { bundleProgram } from '../images/program.ts';
import { summarize, type Figure } from './figures.ts';

/** The kernel counts the time of processes in these, s. */
const TICK_SECONDS = 0.01;
const MIB = 2 ** 20;
const SCANS = 30;
/** As many as the site's ranges have at most. */
const WATCHED = { first: 30_000, last: 40_999 };
const LISTENERS = 1_000;

interface HostPlace {
  kubeconfig: string;
  settingsNamespace: string;
  /** Name of its node, which is there. */
  node: string;
  criSocket: string;
}

/** The daemon as its image has it, in a process of its own, on this machine as its host. */
export class OneHost {
  readonly #process: ChildProcess;
  readonly #directory: string;
  readonly #metrics: string;
  readonly #cpu: number[] = [];
  readonly #memory: Memory[] = [];

  private constructor(process: ChildProcess, directory: string, metrics: string) {
    this.#process = process;
    this.#directory = directory;
    this.#metrics = metrics;
  }

  static async start(place: HostPlace): Promise<OneHost> {
    const directory = await mkdtemp(join(tmpdir(), 'bench-host-'));
    const at = (name: string): string => join(directory, name);
    await Promise.all(['logs', 'host'].map(name => mkdir(at(name))));
    await Promise.all(['proc', 'sys'].map(name => symlink(`/${name}`, at(`host/${name}`))));
    for (const { name, text } of (await bundleProgram()).files) await writeFile(at(name), text);
    const [health, metrics] = [await freePort(), await freePort()];
    const flags = {
      ...{ kubeconfig: place.kubeconfig, 'settings-namespace': place.settingsNamespace },
      ...{ 'current-node-name': place.node, 'cri-socket': place.criSocket, 'host-root': at('host') },
      ...{ 'dbcluster-log-dir': at('logs'), 'ssh-files': at('none'), 'tls-files': at('none') },
      ...{ 'health-port': health, 'metrics-port': metrics, 'log-level': 'error' },
    };
    const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
    const program = ['--disable-warning=DEP0040', at('polardb-stack.mjs'), 'daemon', ...args];
    const process_ = spawn(process.execPath, program, { stdio: ['ignore', 'ignore', 'inherit'] });
    return new OneHost(process_, directory, `http://127.0.0.1:${metrics}/metrics`);
  }

  /** Measures for so long, ms. @throws Error when it does not run */
  async watch(ms: number): Promise<void> {
    const [before, since] = [await this.#cpuSeconds(), performance.now()];
    await sleep(ms);
    this.#cpu.push((100 * ((await this.#cpuSeconds()) - before)) / ((performance.now() - since) / 1_000));
    this.#memory.push(await this.#memoryNow());
  }

  figures(): Figure[] {
    const of = (part: keyof Memory): number[] => this.#memory.map(it => it[part]);
    const inParts = (['heap', 'other', 'files'] as const).map(part => Math.round(summarize(of(part)).median));
    const note = `JavaScript heap ${inParts[0]}, other of its own ${inParts[1]}, files of the program ${inParts[2]}`;
    return [
      { name: 'daemon, idle: CPU', unit: '% of a core', kind: 'count', atMost: 1, values: this.#cpu },
      { name: 'daemon RSS', unit: 'MiB', kind: 'count', atMost: 140, values: of('all'), note },
    ];
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null) {
      const ended = once(this.#process, 'exit');
      this.#process.kill('SIGKILL');
      await ended;
    }
    await rm(this.#directory, { recursive: true });
  }

  async #cpuSeconds(): Promise<number> {
    const text = await readFile(`/proc/${this.#process.pid}/stat`, 'utf8');
    // proc_pid_stat(5): after the name in parentheses, utime and stime are the 12th and 13th field.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_SECONDS;
  }

  async #memoryNow(): Promise<Memory> {
    const status = await readFile(`/proc/${this.#process.pid}/status`, 'utf8');
    const told = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024;
    const answer = await fetch(this.#metrics, { signal: AbortSignal.timeout(5_000) });
    const heap = Number(/^nodejs_heap_size_total_bytes (\S+)$/m.exec(await answer.text())?.[1]) / MIB;
    return { all: told('VmRSS'), heap, other: told('RssAnon') - heap, files: told('RssFile') + told('RssShmem') };
  }
}

/** Resident memory, MiB. */
interface Memory {
  all: number;
  heap: number;
  other: number;
  files: number;
}

/** A look at the ports of this machine, with listeners that are there for it. */
export async function measurePortScan(): Promise<Figure> {
  const servers = await Promise.all(Array.from({ length: LISTENERS }, listen));
  const job = new PortsJob({
    proc: '/proc',
    settings: () => ({ isPortPrintingOn: true, portRanges: [WATCHED] }),
    map: { write: () => Promise.resolve(false) },
    facts: { publish: () => undefined },
    clock: systemClock,
  });
  const { signal } = new AbortController();
  const values: number[] = [];
  // The first look may wait a second for what a UDP socket turns out to be.
  await job.run(signal);
  for (let i = 0; i < SCANS; i++) {
    const since = performance.now();
    await job.run(signal);
    values.push(performance.now() - since);
  }
  await Promise.all(servers.map(close));
  const count = WATCHED.last - WATCHED.first + 1;
  return { name: `scan of ${count} ports, ${LISTENERS} listeners`, unit: 'ms', kind: 'time', atMost: 50, values };
}

async function listen(): Promise<Server> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const close = (server: Server): Promise<void> => new Promise(resolve => server.close(() => resolve()));

async function freePort(): Promise<number> {
  const server = await listen();
  const { port } = server.address() as AddressInfo;
  await close(server);
  return port;
}
