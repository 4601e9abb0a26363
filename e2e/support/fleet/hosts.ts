import { Server, ServerCredentials } from '@grpc/grpc-js';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { HostDaemon } from '../../../operator/daemon/daemon.ts';
import { makeJobs } from '../../../operator/daemon/make-jobs.ts';
import { IMAGE_METHODS } from '../../../operator/daemon/versions/cri-messages.ts';
import { KubeClient } from '../../../operator/kube/client.ts';
import type { CredentialSource } from '../../../operator/kube/credentials.ts';
import { RESOURCES, type ConfigMap } from '../../../operator/kube/resources.ts';
import { silentLogger } from '../../../operator/kube/testing/support.ts';
import { HOST_CONDITION, HOST_FACTS_LABEL } from '../../../operator/model/host.ts';
import { eventually } from '../eventually.ts';

/** Maps that a daemon publishes in the first minute: ports, versions, volumes, and the report of its logs. */
const MAPS = 4;

interface HostFleetOptions {
  /** Makes nodes and looks on. */
  client: KubeClient;
  /** Each daemon has connections of its own. */
  credentials: CredentialSource;
  settingsNamespace: string;
}

/**
 * Many hosts with the daemon as it is: its loops at their periods, its watches and its connections. What stands behind it
 * is simulated: sockets, cards and disks are files of one tree, and one container runtime answers for all.
 */
export class HostFleet {
  readonly #options: HostFleetOptions;
  readonly #root: string;
  readonly #runtime = new Server();
  readonly #daemons: HostDaemon[] = [];

  private constructor(options: HostFleetOptions, root: string) {
    this.#options = options;
    this.#root = root;
  }

  static async open(options: HostFleetOptions): Promise<HostFleet> {
    const fleet = new HostFleet(options, await mkdtemp(join(tmpdir(), 'hosts-')));
    await fleet.#makeHost();
    await fleet.#startRuntime();
    return fleet;
  }

  /** Name of the card that clients of these hosts use: one that this machine has too, for its address. */
  readonly card = Object.entries(networkInterfaces()).find(([, all]) => all?.some(it => !it.internal))?.[0] ?? 'bond1';

  /** Socket of the container runtime that answers for all hosts. */
  get criSocket(): string {
    return join(this.#root, 'cri');
  }

  /** Adds hosts, one after the other. */
  async start(count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      const host = `host-${n}`;
      await this.#options.client.create(RESOURCES.nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: host } });
      await mkdir(join(this.#root, 'logs', host), { recursive: true });
      const daemon = this.#daemon(host);
      this.#daemons.push(daemon);
      await daemon.start();
    }
  }

  /** Waits until each host has told all it knows. */
  async haveTold(): Promise<void> {
    const { client, settingsNamespace: namespace } = this.#options;
    await eventually(
      'all hosts have told',
      async () => {
        const nodes = await client.list(RESOURCES.nodes, {});
        const well = nodes.filter(({ status }) =>
          status?.conditions?.some(it => it.type === HOST_CONDITION.hostReady && it.reason === 'AllLoopsWork'),
        );
        const maps: ConfigMap[] = await client.list(RESOURCES.configMaps, {
          namespace,
          labelSelector: HOST_FACTS_LABEL,
        });
        if (well.length === this.#daemons.length && maps.length === MAPS * this.#daemons.length) return true;
        throw new Error(`${well.length} hosts are well, ${maps.length} maps are there`);
      },
      { deadlineMs: 300_000, everyMs: 2_000 },
    );
  }

  async stop(): Promise<void> {
    await Promise.all(this.#daemons.map(daemon => daemon.drain()));
    this.#runtime.forceShutdown();
    await rm(this.#root, { recursive: true });
  }

  #daemon(host: string): HostDaemon {
    const { credentials, settingsNamespace } = this.#options;
    const at = (path: string): string => join(this.#root, path);
    return new HostDaemon({
      client: new KubeClient({ credentials, fieldManager: 'polardb-stack-daemon' }),
      log: silentLogger,
      makeJobs,
      config: {
        host,
        settingsNamespace,
        systemNamespace: settingsNamespace,
        podName: `daemon-${host}`,
        paths: { proc: at('proc'), sys: at('sys'), logRoot: at(`logs/${host}`), criSocket: this.criSocket },
        // Neither is there: no host commands, and no API, which would need as many addresses.
        ssh: { key: at('none'), knownHosts: at('none') },
        tlsDirectory: at('none'),
        apiPort: 8900,
        overdueDays: 7,
        podLabels: 'app=polarstack-daemon',
        portsMap: 'polardb4mpd-controller',
        versionLabels: 'configtype=minor_version_info,dbClusterMode=WriteReadMore',
      },
    });
  }

  /** The files of a host with 300 sockets and a disk. */
  async #makeHost(): Promise<void> {
    const write = async (path: string, text: string): Promise<void> => {
      await mkdir(dirname(join(this.#root, path)), { recursive: true });
      await writeFile(join(this.#root, path), text);
    };
    const heading =
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
    const listeners = Array.from({ length: 300 }, (_, n) => {
      const port = (5300 + n).toString(16).toUpperCase().padStart(4, '0');
      return `${n}: 00000000:${port} 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 ${1000 + n} 1 0\n`;
    });
    await write('proc/self/net/tcp', heading + listeners.join(''));
    for (const table of ['tcp6', 'udp', 'udp6']) await write(`proc/self/net/${table}`, heading);
    await write('proc/1/mountinfo', '');
    const card = { operstate: 'up', carrier: '1', flags: '0x1003', type: '1' };
    for (const [file, text] of Object.entries(card)) await write(`sys/class/net/${this.card}/${file}`, `${text}\n`);
    const disk = { dev: '8:0', size: '2097152', ro: '0', 'device/state': 'running', 'device/wwid': 'naa.600a' };
    for (const [file, text] of Object.entries(disk)) await write(`sys/block/sda/${file}`, `${text}\n`);
  }

  /** A container runtime that has every image. */
  async #startRuntime(): Promise<void> {
    const find = (_call: unknown, answer: (error: null, found: object) => void): void =>
      answer(null, { image: { id: 'sha256:1', size: 1 } });
    this.#runtime.addService({ ...IMAGE_METHODS }, { ImageStatus: find, PullImage: find });
    const bind = promisify(this.#runtime.bindAsync.bind(this.#runtime));
    await bind(`unix:${this.criSocket}`, ServerCredentials.createInsecure());
  }
}
