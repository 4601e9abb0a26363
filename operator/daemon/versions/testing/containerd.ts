import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Test only: a containerd of its own, with all that it has in one directory. It takes root. */
export class Containerd {
  readonly #directory: string;
  #process: ChildProcess | undefined;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async create(): Promise<Containerd> {
    const directory = await mkdtemp(join(tmpdir(), 'containerd-'));
    await writeFile(join(directory, 'config.toml'), configOf(directory));
    return new Containerd(directory);
  }

  get socket(): string {
    return join(this.#directory, 'socket');
  }

  /** Resolves when it takes requests. */
  async start(deadlineMs = 20_000): Promise<void> {
    const log = join(this.#directory, 'log');
    const child = spawn('sh', [
      '-c',
      'exec containerd --config "$1/config.toml" > "$1/log" 2>&1',
      'sh',
      this.#directory,
    ]);
    this.#process = child;
    const end = performance.now() + deadlineMs;
    for (;;) {
      if (child.exitCode !== null || performance.now() > end) {
        throw new Error(`containerd does not start: ${await readFile(log, 'utf8')}`);
      }
      const isUp = await this.ctr('version').then(
        () => true,
        () => false,
      );
      if (isUp) return;
    }
  }

  async ctr(...args: string[]): Promise<string> {
    const all = ['--address', this.socket, '--timeout', '2s', '--namespace', 'k8s.io', ...args];
    return (await promisify(execFile)('ctr', all)).stdout;
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.#directory, { recursive: true });
  }
}

const configOf = (directory: string): string => `version = 2
root = "${directory}/root"
state = "${directory}/state"
disabled_plugins = [
  "io.containerd.internal.v1.opt",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
  "io.containerd.tracing.processor.v1.otlp",
]
[grpc]
  address = "${directory}/socket"
[plugins."io.containerd.grpc.v1.cri"]
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "native"
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "${directory}/cni"
  conf_dir = "${directory}/cni"
`;
