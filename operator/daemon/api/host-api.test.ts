import { expect } from 'chai';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeClient } from '../../kube/client.ts';
import { FakeClock } from '../../kube/testing/fake-clock.ts';
import { silentLogger } from '../../kube/testing/support.ts';
import type { Pod } from '../../kube/resources.ts';
import { DAEMON_SUBJECT } from '../../model/host.ts';
import { createCa } from '../../pki/ca.ts';
import type { KeyedCertificate } from '../../pki/keys.ts';
import { issueLeaf } from '../../pki/leaf.ts';
import { HostFacts } from '../facts.ts';
import { JOB_NAMES, type JobName, type LoopState } from '../loop.ts';
import type { LogsReport } from '../logs/report.ts';
import { HostApi } from './host-api.ts';
import { Peers, peersOf } from './peers.ts';

const WELL: LoopState = { isRunning: false, isStuck: false, failures: 0, result: { message: '2 versions' } };
const SERVER_NAME = 'polardb-stack-daemon.polardb-system';

const freePort = (): Promise<number> =>
  new Promise(resolve => {
    const server = createServer().listen(0, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

const pod = (host: string, podIP: string, more: object = {}): Pod =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `${host}-${podIP}`, ...more },
    spec: { nodeName: host },
    status: { phase: 'Running', podIP },
  }) as unknown as Pod;

describe('daemons among each other', () => {
  let ca: KeyedCertificate;
  let directory: string;
  let port: number;
  let api: HostApi;
  let clock: FakeClock;
  const runs: string[] = [];

  const certificate = (part: string): Promise<KeyedCertificate> =>
    issueLeaf(ca, { subject: { part, name: DAEMON_SUBJECT.name }, sans: [SERVER_NAME] }, { now: new Date() });
  const give = async ({ certificate: cert, key }: KeyedCertificate): Promise<void> => {
    const files = { 'tls.crt': cert, 'tls.key': key, 'ca.crt': ca.certificate };
    await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(directory, name), text)));
  };
  const notAsked = (): Promise<never> => Promise.reject(new Error('not asked'));
  const peersWith = (
    { certificate: cert, key }: KeyedCertificate,
    client: Pick<KubeClient, 'list' | 'listPage'> = { list: notAsked, listPage: notAsked },
  ): Peers =>
    new Peers({
      client,
      namespace: 'polardb-system',
      podLabels: 'app=polarstack-daemon',
      host: 'worker-2',
      port,
      serverName: SERVER_NAME,
      tls: () => ({ cert, key, ca: ca.certificate }),
      limitMs: 5_000,
    });
  const ask = async (peers: Peers, address = '127.0.0.1'): Promise<object> => {
    const [outcome] = await peers.ask([{ host: 'worker-1', address }], '/InnerCheckCoreVersion', 'r-1');
    return outcome ?? {};
  };
  const listens = async (): Promise<void> => {
    const end = Date.now() + 5_000;
    while (!(await healthy())) if (Date.now() > end) throw new Error('it does not listen');
  };
  const healthy = (): Promise<boolean> =>
    new Promise(resolve => {
      const agent = new Agent({ rejectUnauthorized: false });
      request({ host: '127.0.0.1', port, path: '/healthz', agent }, answer => {
        answer.resume();
        resolve(answer.statusCode === 200);
      })
        .once('error', () => setTimeout(() => resolve(false), 10))
        .end();
    });

  before(async () => {
    ca = await createCa({ now: new Date() });
  });
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'host-api-'));
    port = await freePort();
    clock = new FakeClock();
    runs.length = 0;
    const states = Object.fromEntries(JOB_NAMES.map(name => [name, WELL])) as Record<JobName, LoopState>;
    api = new HostApi({
      host: 'worker-1',
      version: '1.2.3',
      client: {
        create: () => Promise.resolve({ status: { authenticated: false } }),
      } as unknown as KubeClient,
      facts: new HostFacts(clock),
      loops: {
        states,
        now: name => {
          runs.push(name);
          return Promise.resolve(states[name]);
        },
      },
      planLogs: () => Promise.resolve({} as LogsReport),
      portOwners: () => Promise.resolve([]),
      port,
      tlsDirectory: directory,
      systemNamespace: 'polardb-system',
      podLabels: 'app=polarstack-daemon',
      clock,
      log: silentLogger,
    });
  });
  afterEach(async () => {
    await api.stop();
    await rm(directory, { recursive: true });
  });

  it('know each other by their certificate', async () => {
    await give(await certificate('daemon'));
    api.start();
    await listens();
    const outcome = await ask(peersWith(await certificate('daemon')));
    expect(outcome).to.deep.equal({ host: 'worker-1', isDone: true, message: '2 versions' });
    expect(runs).to.deep.equal(['versions']);
  });

  it('do not take another part, another authority or an old one for a daemon', async () => {
    await give(await certificate('daemon'));
    api.start();
    await listens();
    expect(await ask(peersWith(await certificate('agent')))).to.deep.include({ isDone: false });
    const foreign = await createCa({ now: new Date() });
    const subject = { part: 'daemon', name: DAEMON_SUBJECT.name };
    const leaf = await issueLeaf(foreign, { subject, sans: [SERVER_NAME] }, { now: new Date() });
    expect(await ask(peersWith(leaf))).to.have.property(
      'message',
      'HTTP 401: send the token of a service account or user as "Authorization: Bearer ..."',
    );
    expect(runs).to.deep.equal([]);
  });

  it('do not tell anything to a server that is no daemon', async () => {
    const { certificate: cert, key } = await issueLeaf(
      ca,
      { subject: { part: 'agent', name: 'c-1' }, sans: ['127.0.0.1'] },
      { now: new Date() },
    );
    await give({ certificate: cert, key });
    api.start();
    await listens();
    const outcome = await ask(peersWith(await certificate('daemon')));
    expect(outcome)
      .to.have.property('message')
      .that.matches(/does not match certificate/);
  });

  it('wait for the first certificate, and take a renewed one', async () => {
    api.start();
    await clock.advance(10_000);
    expect(await healthy()).to.equal(false);
    await give(await certificate('daemon'));
    for (let i = 0; i < 500 && !(await healthy()); i++) await clock.advance(10_000);
    expect(await ask(peersWith(await certificate('daemon')))).to.include({ isDone: true });
    const former = ca;
    ca = await createCa({ now: new Date() });
    await give(await certificate('daemon'));
    const peers = peersWith(await certificate('daemon'));
    let outcome: object = {};
    for (let i = 0; i < 500 && !('isDone' in outcome && outcome.isDone); i++) {
      await clock.advance(10_000);
      outcome = await ask(peers);
    }
    expect(outcome).to.include({ isDone: true });
    expect(former.certificate).not.to.equal(ca.certificate);
  });

  it('say of each host that does not answer why', async () => {
    const peers = peersWith(await certificate('daemon'));
    const outcomes = await peers.ask([{ host: 'b', address: '127.0.0.1' }, { host: 'a' }], '/x', 'r-1');
    expect(outcomes[0]).to.deep.equal({ host: 'a', isDone: false, message: 'no daemon runs there' });
    expect(outcomes[1]!.message).to.include('ECONNREFUSED');
  });

  it('are found by nodes and pods: one for each host, during an update the one that runs', () => {
    const gone = { deletionTimestamp: '2026-01-01T00:00:00Z' };
    const pods = [
      pod('b', '10.0.0.2', gone),
      pod('b', '10.0.0.3'),
      pod('a', '10.0.0.1'),
      pod('a', '10.0.0.1', gone),
      pod('c', '10.0.0.4', gone),
      { ...pod('d', ''), spec: undefined },
      // Its kubelet makes its node anew.
      pod('f', '10.0.0.6'),
    ];
    expect(peersOf(['e', 'b', 'c', 'a'], pods)).to.deep.equal([
      { host: 'a', address: '10.0.0.1' },
      { host: 'b', address: '10.0.0.3' },
      { host: 'c' },
      { host: 'e' },
      { host: 'f', address: '10.0.0.6' },
    ]);
  });

  it('are all other nodes, page by page', async () => {
    const nodes = ['worker-1', 'worker-2', 'worker-3'];
    const asked: object[] = [];
    const peers = peersWith(await certificate('daemon'), {
      list: () => Promise.resolve([pod('worker-1', '10.0.0.1'), pod('worker-2', '10.0.0.2')] as never),
      listPage: (_type, page) => {
        asked.push(page);
        const [name = ''] = nodes.splice(0, 1);
        const next = nodes.length > 0 ? 'more' : undefined;
        return Promise.resolve({ items: [{ metadata: { name } }] as never, resourceVersion: '1', next });
      },
    });
    expect(await peers.list()).to.deep.equal([{ host: 'worker-1', address: '10.0.0.1' }, { host: 'worker-3' }]);
    expect(asked).to.deep.equal([undefined, 'more', 'more'].map(next => ({ next, limit: 50 })));
  });
});
