import { expect } from 'chai';
import type { FastifyInstance } from 'fastify';
import { FakeClock } from '../../kube/testing/fake-clock.ts';
import { silentLogger } from '../../kube/testing/support.ts';
import type { KubeClient } from '../../kube/client.ts';
import { HostFacts } from '../facts.ts';
import { JOB_NAMES, type JobName, type LoopState } from '../loop.ts';
import type { LogsReport } from '../logs/report.ts';
import type { HostOutcome, Peer } from './peers.ts';
import { ROUTES } from './routes.ts';
import { apiServer } from './server.ts';

const BASE = '/api/v1';
const WELL: LoopState = { isRunning: false, isStuck: false, failures: 0, result: { message: '2 versions' } };

/** The daemon of `worker-1`, to which `alice` may do all and `bob` may only read. */
class World {
  readonly asked: Record<string, unknown>[] = [];
  readonly runs: JobName[] = [];
  readonly clock = new FakeClock();
  readonly facts = new HostFacts(this.clock);
  states = Object.fromEntries(JOB_NAMES.map(name => [name, WELL])) as Record<JobName, LoopState>;
  conditions: object[] = [];
  outcomes: HostOutcome[] = [];
  readonly app: FastifyInstance;

  constructor() {
    this.app = apiServer({
      host: 'worker-1',
      version: '1.2.3',
      client: this as unknown as KubeClient,
      facts: this.facts,
      clock: this.clock,
      loops: {
        states: this.states,
        now: name => {
          this.runs.push(name);
          return Promise.resolve(this.states[name]);
        },
      },
      peers: {
        list: () => Promise.resolve(this.outcomes.map(({ host }): Peer => ({ host }))),
        ask: () => Promise.resolve(this.outcomes),
      },
      planLogs: () => Promise.resolve({ host: 'worker-1', mode: 'plan' } as LogsReport),
      portOwners: ports => Promise.resolve(ports.map(port => ({ port, protocol: 'tcp' as const, address: '::' }))),
      tls: { cert: '', key: '' },
      log: silentLogger,
    });
  }

  async call(method: 'GET' | 'POST', path: string, options: { token?: string; payload?: string; type?: string } = {}) {
    const { token = 'alice', payload, type } = options;
    const headers = {
      ...(token !== '' && { authorization: `Bearer ${token}` }),
      ...(type !== undefined && { 'content-type': type }),
    };
    const answer = await this.app.inject({ method, url: path, headers, ...(payload !== undefined && { payload }) });
    const body = answer.json<{ code: string; data: unknown; message: string; requestId: string; reason?: string }>();
    return { status: answer.statusCode, header: answer.headers['x-request-id'], ...body };
  }

  get = (type: { kind: string }, { name }: { name: string }): Promise<unknown> => {
    if (type.kind === 'Node') return Promise.resolve({ metadata: { name }, status: { conditions: this.conditions } });
    const spec = name === 'waiting' ? {} : { nodeName: 'worker-2' };
    return Promise.resolve(name === 'none' ? undefined : { metadata: { name }, spec });
  };

  create = (_type: unknown, object: { kind: string; spec: Record<string, unknown> }) => {
    if (object.kind === 'TokenReview') {
      const isKnown = ['alice', 'bob'].includes(String(object.spec.token));
      return Promise.resolve({ status: { authenticated: isKnown, user: { username: object.spec.token } } });
    }
    const wanted = object.spec.resourceAttributes as Record<string, unknown>;
    this.asked.push(wanted);
    return Promise.resolve({ status: { allowed: object.spec.user === 'alice' || wanted.verb === 'get' } });
  };
}

describe('API of the daemon', () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  afterEach(() => world.app.close());

  for (const { method, path } of ROUTES) {
    it(`${method} ${path} needs a token that the API server takes`, async () => {
      expect(await world.call(method, BASE + path, { token: '' })).to.include({ status: 401, code: '0', data: null });
      expect(await world.call(method, BASE + path, { token: 'mallory' })).to.include({ status: 401 });
    });
  }

  const query: Record<string, string> = { '/GetStandByIp': '?podName=x', '/ports': '?port=5432' };
  const rights: [string, object][] = [
    ['/GetStandByIp', { group: '', resource: 'pods', verb: 'get', namespace: 'default', name: 'x' }],
    ['/RequestCheckCoreVersion', { subresource: 'versions', verb: 'create' }],
    ['/InnerCheckCoreVersion', { subresource: 'versions', verb: 'create', name: 'worker-1' }],
    ['/host', { verb: 'get', name: 'worker-1' }],
    ['/ports', { subresource: 'ports', verb: 'get', name: 'worker-1' }],
    ['/logs/plan', { subresource: 'logs', verb: 'get', name: 'worker-1' }],
    ['/logs/clean', { subresource: 'logs', verb: 'create', name: 'worker-1' }],
  ];
  for (const [path, needs] of rights) {
    it(`${path} is asked of RBAC`, async () => {
      const { method } = ROUTES.find(route => route.path === path)!;
      const answer = await world.call(method, BASE + path + (query[path] ?? ''), { token: 'bob' });
      expect(world.asked).to.deep.equal([{ group: 'mpd.polardb.aliyun.com', resource: 'hosts', ...needs }]);
      expect(answer.status === 403).to.equal('verb' in needs && needs.verb === 'create');
    });
  }

  it('answers in the form of the original, with a request id', async () => {
    const { header, requestId, ...answer } = await world.call('GET', `${BASE}/TestConn`, { token: 'bob' });
    expect(answer).to.deep.equal({ status: 200, code: '1', data: { message: 'connected' }, message: '' });
    expect(requestId).to.match(/^[0-9a-f-]{36}$/);
    expect(header).to.equal(requestId);
    const health = await world.app.inject({ url: '/healthz' });
    expect(health.json()).to.deep.equal({ status: 'ok' });
  });

  const condition = (type: string, message: string, status = 'True'): object => ({ type, status, message });
  const heardAt = (ms: number): object => ({
    ...condition('NodeRefreshFlag', 'Refresh'),
    lastHeartbeatTime: new Date(new FakeClock().date().getTime() + ms).toISOString(),
  });
  const addresses: [string, object[], string | undefined][] = [
    ['StandbyIP', [condition('NodeClientIP', '10.0.0.2'), condition('StandbyIP', '10.1.0.2')], '10.1.0.2'],
    ['NodeClientIP', [condition('StandbyIP', 'none'), condition('NodeClientIP', 'fd00::2')], 'fd00::2'],
    ['a False condition', [condition('NodeClientIP', '10.0.0.2', 'False')], undefined],
    ['an address that never was', [condition('NodeClientIP', '0.0.0.0')], undefined],
    ['no condition', [], undefined],
    ['NodeClientIP of a daemon that lives', [condition('NodeClientIP', '10.0.0.2'), heardAt(0)], '10.0.0.2'],
    ['NodeClientIP of a silent daemon', [condition('NodeClientIP', '10.0.0.2'), heardAt(-91_000)], undefined],
    ['StandbyIP beside a silent daemon', [condition('StandbyIP', '10.1.0.2'), heardAt(-91_000)], '10.1.0.2'],
  ];
  for (const [what, conditions, address] of addresses) {
    it(`finds ${address === undefined ? 'no address' : 'the address'} by ${what}`, async () => {
      world.conditions = conditions;
      const answer = await world.call('GET', `${BASE}/GetStandByIp?podName=x&namespace=db&clusterId=1&type=ro`);
      expect(answer).to.include(address === undefined ? { status: 404 } : { status: 200, data: address });
    });
  }

  const refused: [string, number, string][] = [
    ['/GetStandByIp', 400, 'podName: '],
    ['/GetStandByIp?podName=../x', 400, 'podName: '],
    ['/GetStandByIp?podName=none', 404, 'there is no pod none in namespace default'],
    ['/GetStandByIp?podName=waiting', 404, 'has no host yet'],
    ['/ports?port=x', 400, 'port: must be port numbers'],
    ['/exec', 404, 'no call GET /api/v1/exec'],
  ];
  for (const [path, status, says] of refused) {
    it(`refuses ${path} with ${status}`, async () => {
      const answer = await world.call('GET', BASE + path);
      expect(answer).to.include({ status, code: '0', data: null });
      expect(answer.message).to.include(says);
    });
  }

  for (const [type, payload] of [
    [undefined, undefined],
    ['application/json', ''],
    ['application/json', '{"HostName":"worker-2"}'],
    ['text/plain', 'what the original logged'],
  ] as const) {
    it(`checks the versions whatever body comes (${type ?? 'none'}: ${payload ?? ''})`, async () => {
      const answer = await world.call('POST', `${BASE}/InnerCheckCoreVersion`, { type, payload });
      expect(answer).to.include({ status: 200, code: '1', data: 'OK', message: '2 versions' });
      expect(world.runs).to.deep.equal(['versions']);
    });
  }

  it('says that a check failed', async () => {
    world.states.versions = { ...WELL, failures: 1, error: 'no socket of the runtime' };
    const answer = await world.call('POST', `${BASE}/InnerCheckCoreVersion`);
    expect(answer).to.include({ status: 503, code: '0', message: 'no socket of the runtime' });
  });

  it('has all hosts check, and tells how it went on each', async () => {
    world.outcomes = [{ host: 'worker-2', isDone: true, message: '1 version' }];
    const all = await world.call('POST', `${BASE}/RequestCheckCoreVersion`);
    expect(all).to.deep.include({ status: 200, code: '1', message: 'done on 2 hosts' });
    expect(all.data).to.deep.equal({
      hosts: [{ host: 'worker-1', isDone: true, message: '2 versions' }, world.outcomes[0]],
    });
    world.outcomes = [{ host: 'a', isDone: false, message: 'the daemon does not run there' }];
    const some = await world.call('POST', `${BASE}/RequestCheckCoreVersion`);
    expect(some).to.include({ status: 207, code: '0', message: 'not done on 1 of 2 hosts' });
  });

  it('shows all facts with their age, and which are kept up', async () => {
    world.facts.publish('ports', { used: [5432], ranges: [], ephemeral: [] });
    await world.clock.advance(61_500);
    world.facts.publish('logs', { mode: 'plan', deleted: 0, deletedBytes: 0, setAside: 0, compressed: 0, problems: 0 });
    world.states.ports = { ...WELL, failures: 2, error: 'EACCES' };
    const { data } = await world.call('GET', `${BASE}/host`, { token: 'bob' });
    const { host, version, facts, loops } = data as Record<string, Record<string, object>>;
    expect([host, version]).to.deep.equal(['worker-1', '1.2.3']);
    expect(facts!.ports).to.deep.include({ at: '2026-01-01T00:00:00.000Z', ageSeconds: 61.5, isCurrent: false });
    expect(facts!.logs).to.deep.include({ ageSeconds: 0, isCurrent: true });
    expect(loops!.ports).to.include({ error: 'EACCES', failures: 2 });
  });

  it('tells who waits at a port', async () => {
    const { data } = await world.call('GET', `${BASE}/ports?port=5432,80`);
    expect((data as { port: number }[]).map(({ port }) => port)).to.deep.equal([5432, 80]);
  });

  it('plans a clean-up, or begins one', async () => {
    expect((await world.call('POST', `${BASE}/logs/plan`)).data).to.include({ mode: 'plan' });
    expect(world.runs).to.deep.equal([]);
    const clean = await world.call('POST', `${BASE}/logs/clean`);
    expect(clean).to.deep.include({ status: 202, data: { report: 'polarstack-daemon-logs-worker-1' } });
    expect(world.runs).to.deep.equal(['logs']);
  });

  it('describes each call in its OpenAPI document', async () => {
    const answer = await world.app.inject({ url: '/openapi.json' });
    const { paths } = answer.json<{ paths: Record<string, Record<string, { operationId: string }>> }>();
    const described = Object.values(paths).flatMap(methods => Object.values(methods).map(it => it.operationId));
    expect(described.sort()).to.deep.equal(ROUTES.map(({ call }) => call).sort());
  });
});
