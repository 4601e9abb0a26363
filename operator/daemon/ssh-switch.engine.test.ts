import { expect } from 'chai';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeServer } from '../kube/testing/fake-server.ts';
import { clientOf, silentLogger, until } from '../kube/testing/support.ts';
import { HostDaemon } from './daemon.ts';
import { ensureSshd, RealSshd } from './host/testing/real-sshd.ts';
import type { JobContext } from './jobs.ts';
import { makeJobs } from './make-jobs.ts';

/** From a changed setting to what it does. */
const SETTINGS_MS = 5_000;

describe('host commands that are switched off and on again, with a real sshd', function () {
  this.timeout(60_000);
  let root: string;
  let sshd: RealSshd;
  let server: FakeServer;
  let daemon: HostDaemon;
  let context: JobContext;

  before(ensureSshd);
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'ssh-switch-'));
    // A card that is down has addresses that only the host's `ip` tells.
    const card = join(root, 'sys/class/net/lo');
    await mkdir(card, { recursive: true });
    for (const [file, text] of Object.entries({ operstate: 'down', flags: '0x1002', type: '1' })) {
      await writeFile(join(card, file), `${text}\n`);
    }
    sshd = await RealSshd.make();
    await writeFile(sshd.path('known_hosts'), await sshd.knownAs('host-1'));
    await sshd.start();
    server = new FakeServer();
    const url = await server.start();
    server.store.create(
      { collection: 'v1/nodes', name: 'host-1' },
      { apiVersion: 'v1', kind: 'Node', metadata: { name: 'host-1' } },
    );
    write('ccm-config', { NET_CARD_NAME: 'lo' });
    write('controller-config', { sshPort: String(sshd.port), enableSsh: 'T' });
    const at = (path: string): string => join(root, path);
    daemon = new HostDaemon({
      client: clientOf(url),
      log: silentLogger,
      config: {
        ...{ host: 'host-1', settingsNamespace: 'kube-system', systemNamespace: 'polardb-system', podName: 'daemon-1' },
        paths: { proc: at('proc'), sys: at('sys'), logRoot: at('none'), criSocket: at('none') },
        ssh: { key: sshd.path('key'), knownHosts: sshd.path('known_hosts') },
        ...{ tlsDirectory: at('none'), apiPort: 0, overdueDays: 3, podLabels: 'app=polarstack-daemon' },
        ...{ portsMap: 'polardb4mpd-controller', versionLabels: 'configtype=minor_version_info' },
      },
      makeJobs: of => makeJobs((context = of)),
    });
    await daemon.start();
  });
  after(async () => {
    await daemon.drain();
    await server.stop();
    await sshd.remove();
    await rm(root, { recursive: true });
  });

  function write(name: string, data: Record<string, string>): void {
    const at = { collection: 'v1/configmaps', namespace: 'kube-system', name };
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'kube-system' }, data };
    if (server.store.objects.has(`v1/configmaps/kube-system/${name}`)) server.store.update(at, object);
    else server.store.create(at, object);
  }
  const gaps = (): string | undefined => context.facts.get('network')?.fact.gaps.join();
  /** Of sshd and its connections. */
  const processes = async (): Promise<number> => (await sshd.pids()).length;

  it('are, within 5 s: what is not known then is told, and no connection is left', async () => {
    await until('the host has told', () => gaps() === '', 15_000);
    expect(await processes()).to.be.above(1);
    write('controller-config', { sshPort: String(sshd.port), enableSsh: 'F' });
    const off = 'addresses of lo: host commands are switched off (enableSsh)';
    await until('it says that they are off', () => gaps() === off, SETTINGS_MS);
    for (const end = Date.now() + SETTINGS_MS; (await processes()) > 1;) expect(Date.now()).to.be.below(end);
    expect(daemon.notes.filter(note => note.startsWith('[-] network'))).to.deep.equal([]);
    write('controller-config', { sshPort: String(sshd.port), enableSsh: 'T' });
    await until('the host has told again', () => gaps() === '', SETTINGS_MS);
  });
});
