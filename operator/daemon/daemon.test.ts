import { expect } from 'chai';
import { FakeServer } from '../kube/testing/fake-server.ts';
import { clientOf, silentLogger, until } from '../kube/testing/support.ts';
import type { StoredObject } from '../kube/testing/fake-store.ts';
import type { NodeCondition } from './conditions.ts';
import { HostDaemon } from './daemon.ts';
import type { HostJobs, JobContext } from './jobs.ts';
import { JOB_NAMES, type Job, type JobName } from './loop.ts';
import type { NetworkFact } from './network/fact.ts';

const MAPS = { collection: 'v1/configmaps', namespace: 'kube-system' };
const NODE = { collection: 'v1/nodes', name: 'host-1' };

/** Jobs that say what their settings are; `broken` ones fail. */
class FakeJobs {
  readonly runs: Record<JobName, number> = { ports: 0, versions: 0, logs: 0, network: 0, volumes: 0 };
  readonly broken = new Set<JobName>();
  stopped = 0;
  context!: JobContext;

  readonly make = (context: JobContext): HostJobs => {
    this.context = context;
    const jobs = Object.fromEntries(JOB_NAMES.map(name => [name, this.#job(name)])) as Record<JobName, Job>;
    const stop = (): Promise<void> => {
      this.stopped++;
      return Promise.resolve();
    };
    return { jobs, start: () => undefined, stop };
  };

  #job(name: JobName): Job {
    const run = () => {
      this.runs[name]++;
      if (this.broken.has(name)) return Promise.reject(new Error('cannot be read'));
      const { card } = this.context.settings();
      const addresses = ['10.0.0.5'];
      const fact: NetworkFact = {
        ...{ card, state: 'up', kind: 'ethernet', clientIp: '10.0.0.5', addresses, lower: {}, gaps: [] },
      };
      if (name === 'network') this.context.facts.publish('network', fact);
      return Promise.resolve({ message: `did ${name}` });
    };
    return { name, run };
  }
}

describe('HostDaemon', () => {
  let server: FakeServer;
  let jobs: FakeJobs;
  let daemon: HostDaemon;
  beforeEach(async () => {
    server = new FakeServer();
    server.store.create(NODE, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'host-1' } });
    write('ccm-config', { NET_CARD_NAME: 'bond1' });
    jobs = new FakeJobs();
    daemon = new HostDaemon({
      client: clientOf(await server.start()),
      log: silentLogger,
      config: {
        ...{ host: 'host-1', settingsNamespace: 'kube-system', systemNamespace: 'polardb-system', podName: 'daemon-1' },
        paths: { proc: '/proc', sys: '/sys', logRoot: '/nowhere', criSocket: '/nowhere' },
        ssh: { key: '/nowhere', knownHosts: '/nowhere' },
        ...{ tlsDirectory: '/nowhere', apiPort: 0, overdueDays: 3, podLabels: 'app=polarstack-daemon' },
        ...{ portsMap: 'polardb4mpd-controller', versionLabels: 'configtype=minor_version_info' },
      },
      reflector: { backoff: { baseMs: 5, maxMs: 50 }, silenceMs: 500 },
      random: () => 0,
      makeJobs: jobs.make,
    });
    await daemon.start();
  });
  afterEach(async () => {
    await daemon.drain();
    await server.stop();
  });

  function write(name: string, data: Record<string, string>, more: Partial<StoredObject['metadata']> = {}): void {
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'kube-system', ...more }, data };
    const isThere = server.store.objects.has(`v1/configmaps/kube-system/${name}`);
    if (isThere) server.store.update({ ...MAPS, name }, object);
    else server.store.create({ ...MAPS, name }, object);
  }
  const condition = (type: string): NodeCondition | undefined => {
    const { conditions = [] } = (server.store.read(NODE).status ?? {}) as { conditions?: NodeCondition[] };
    return conditions.find(one => one.type === type);
  };
  const says = (type: string, status: string, reason: string): Promise<NodeCondition> =>
    until(`${type} ${status} ${reason}`, () => {
      const found = condition(type);
      return found?.status === status && found.reason === reason ? found : undefined;
    });
  const writes = (): string[] => server.requests.filter(request => request.startsWith('PATCH /api/v1/nodes'));

  it('says in one write how the host is, once all is known', async () => {
    await says('NodeClientIP', 'True', 'bond1');
    expect(condition('NodeClientIP')).to.include({ message: '10.0.0.5' });
    expect(condition('NodeClientNetworkUnavailable')).to.include({ status: 'False', message: 'bond1 StateUP' });
    expect(condition('NodeRefreshFlag')).to.include({ status: 'True', reason: 'Refresh', message: 'Refresh' });
    expect(condition('PolarDBHostReady')).to.include({ status: 'True', reason: 'AllLoopsWork' });
    expect(condition('PolarDBSettingsValid')).to.include({ status: 'True', reason: 'SettingsAccepted' });
    await daemon.drain();
    expect(writes()).to.have.length(1);
  });

  it('takes up a changed setting at once, in the loops that it concerns', async () => {
    await says('NodeClientIP', 'True', 'bond1');
    const before = { ...jobs.runs };
    write('ccm-config', { NET_CARD_NAME: 'bond0' });
    await says('NodeClientIP', 'True', 'bond0');
    expect(jobs.runs.network).to.be.above(before.network);
    expect({ ...jobs.runs, network: 0 }).to.deep.equal({ ...before, network: 0 });

    write('polardb4mpd-controller', {}, { annotations: { 'polarbox.novip.engine.port.range': '5400-5800' } });
    await until('a scan of the new ranges', () => jobs.runs.ports > before.ports);
    expect(jobs.context.settings().portRanges).to.deep.equal([{ first: 5400, last: 5800 }]);
    write('version-1', { pgEngineImage: 'a' }, { labels: { configtype: 'minor_version_info' } });
    await until('a check of the new version', () => jobs.runs.versions > before.versions);
  });

  it('keeps the last good value, and names map and key in a condition and an Event', async () => {
    await says('NodeClientIP', 'True', 'bond1');
    write('ccm-config', { NET_CARD_NAME: 'bond 1' });
    const { message } = await says('PolarDBSettingsValid', 'False', 'SettingsInvalid');
    expect(message).to.equal('ccm-config NET_CARD_NAME: "bond 1" is not the name of a network card');
    expect(condition('NodeClientIP')).to.include({ status: 'True', reason: 'bond1' });
    const [event] = await until('an Event', () => {
      const found = server.store.select({ collection: 'events.k8s.io/v1/events' });
      return found.length > 0 ? found : undefined;
    });
    expect(event).to.deep.include({ reason: 'SettingsInvalid', type: 'Warning' });
    write('ccm-config', { NET_CARD_NAME: 'bond0' });
    await says('PolarDBSettingsValid', 'True', 'SettingsAccepted');
  });

  it('tells which loop fails, and that the others go on', async () => {
    await says('PolarDBHostReady', 'True', 'AllLoopsWork');
    jobs.broken.add('volumes');
    for (let n = 0; n < 3; n++) await jobs.context.loops().now('volumes');
    const { message } = await says('PolarDBHostReady', 'False', 'LoopFailing');
    expect(message).to.equal('volumes: cannot be read');
    expect(daemon.notes.find(note => note.includes('volumes'))).to.match(/^\[-\] volumes: 0 s ago, .*cannot be read$/);
    expect(daemon.notes.find(note => note.includes('ports'))).to.match(/^\[\+\] ports: 0 s ago, .*did ports$/);
    jobs.broken.clear();
    await jobs.context.loops().now('volumes');
    await says('PolarDBHostReady', 'True', 'AllLoopsWork');
  });

  it('goes on while the API server is away, and tells what happened meanwhile', async () => {
    await says('PolarDBHostReady', 'True', 'AllLoopsWork');
    const { port } = server;
    await server.stop();
    const before = jobs.runs.network;
    await jobs.context.loops().now('network');
    expect(jobs.runs.network).to.be.above(before);
    jobs.broken.add('ports');
    for (let n = 0; n < 3; n++) await jobs.context.loops().now('ports');
    await server.start(port);
    await says('PolarDBHostReady', 'False', 'LoopFailing');
  });

  it('leaves nothing running when it ends', async () => {
    await says('PolarDBHostReady', 'True', 'AllLoopsWork');
    expect(await daemon.drain()).to.equal(true);
    expect(jobs.stopped).to.equal(1);
    await until('the server to see all watches closed', () => server.watchers.size === 0);
  });
});
