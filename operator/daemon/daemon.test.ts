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

/** Each setting with another value than its default, what the daemon's settings have then, and the loops that run at once. */
const CHANGES: readonly { map: string; key: string; value: string; makes: string; concerns: readonly JobName[] }[] = [
  { map: 'ccm-config', key: 'NET_CARD_NAME', value: 'bond0', makes: '"card":"bond0"', concerns: ['network'] },
  ...(
    [
      ['isCheckOObIP', 'T', '"isOobOn":true', ['network']],
      ['enableSsh', 'F', '"isSshOn":false', ['network', 'volumes']],
      ['sshUser', 'polardb', '"sshUser":"polardb"', ['network', 'volumes']],
      ['sshAddress', 'InternalIP', '"sshd":{"address":"InternalIP","port":22}', ['network', 'volumes']],
      ['sshPort', '2222', '"sshd":{"address":"127.0.0.1","port":2222}', ['network', 'volumes']],
      ['enablePrintPort', 'F', '"isPortPrintingOn":false', ['ports']],
      ['prePullImages', 'T', '"prePull":{"isOn":true,"hosts":2,"mibPerSecond":50}', ['versions']],
      ['prePullHosts', '3', '"prePull":{"isOn":false,"hosts":3,"mibPerSecond":50}', ['versions']],
      ['prePullMiBPerSecond', '9', '"prePull":{"isOn":false,"hosts":2,"mibPerSecond":9}', ['versions']],
      ['logCleanUp', 'plan', '"logMode":"plan"', []],
      ['logSize', '1Gi', '"maxInstanceLogBytes":1073741824', []],
      ['logDiskPercent', '70', '"diskHighPercent":70', []],
    ] as const
  ).map(([key, value, makes, concerns]) => ({ map: 'controller-config', key, value, makes, concerns })),
  {
    ...{ map: 'polardb4mpd-controller', key: 'polarbox.novip.engine.port.range', value: '5400-5800' },
    ...{ makes: '"portRanges":[{"first":5400,"last":5800}]', concerns: ['ports'] },
  },
  { map: 'version-1', key: 'pgEngineImage', value: 'a', makes: '"pgEngineImage":"a"', concerns: ['versions'] },
];

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

  it('tells with a changed card how that one is', async () => {
    await says('NodeClientIP', 'True', 'bond1');
    write('ccm-config', { NET_CARD_NAME: 'bond0' });
    await says('NodeClientIP', 'True', 'bond0');
  });

  for (const { map, key, value, makes, concerns } of CHANGES) {
    it(`takes up ${key} of ${map} at once, in the loops that it concerns`, async () => {
      await says('PolarDBHostReady', 'True', 'AllLoopsWork');
      const before = { ...jobs.runs };
      if (map === 'polardb4mpd-controller') write(map, {}, { annotations: { [key]: value } });
      else write(map, { [key]: value }, map === 'version-1' ? { labels: { configtype: 'minor_version_info' } } : {});
      // Less than the shortest period, and than the 5 s that are promised.
      await until('it is in force', () => JSON.stringify(jobs.context.settings()).includes(makes), 2_000);
      const others = JOB_NAMES.filter(name => name !== 'network' && !concerns.includes(name));
      await until('its loops run', () => concerns.every(name => jobs.runs[name] > before[name]), 2_000);
      for (const name of others) expect(jobs.runs[name], name).to.equal(before[name]);
    });
  }

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
