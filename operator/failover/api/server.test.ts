import { expect } from 'chai';
import type { FastifyInstance } from 'fastify';
import type { KubeClient } from '../../kube/client.ts';
import { activeHold, HOLD_ANNOTATION } from '../hold.ts';
import { ROUTES } from './routes.ts';
import { apiServer } from './server.ts';

const NOW = new Date('2026-01-01T12:00:00Z');
const BASE = '/clusters/db/orders/v1';

/** An API server with one cluster, to which `alice` may do all and `bob` may only read. */
class World {
  readonly created: { kind: string; spec: Record<string, unknown>; metadata: object }[] = [];
  readonly asked: Record<string, string>[] = [];
  annotations: Record<string, string> = {};
  readonly app: FastifyInstance;

  constructor() {
    const silent = (): void => undefined;
    this.app = apiServer({
      client: this as unknown as KubeClient,
      tls: { cert: '', key: '' },
      now: () => NOW,
      version: '1.2.3',
      managers: () => Promise.resolve([{ endpoint: 'cm-1', role: 'leader' as const }]),
      log: { debug: silent, info: silent, warn: silent, error: silent },
    });
  }

  async call(method: 'GET' | 'POST', path: string, options: { token?: string; body?: object } = {}) {
    const { token = 'alice', body } = options;
    const headers = token === '' ? {} : { authorization: `Bearer ${token}` };
    const answer = await this.app.inject({ method, url: path, headers, ...(body && { payload: body }) });
    return {
      status: answer.statusCode,
      ...answer.json<{ code: number; msg?: string; reason?: string; data?: unknown }>(),
    };
  }

  get = (type: { kind: string }, { name }: { name: string }): Promise<unknown> => {
    if (type.kind === 'MPDCluster') return Promise.resolve(name === 'orders' ? this.#cluster() : undefined);
    return Promise.resolve({ data: { switches: JSON.stringify([{ epoch: 2, cause: 'EngineFailed' }]) } });
  };

  create = (_type: unknown, object: { kind: string; spec: Record<string, unknown>; metadata: object }) => {
    if (object.kind === 'TokenReview') {
      const isKnown = ['alice', 'bob'].includes(String(object.spec.token));
      return Promise.resolve({ status: { authenticated: isKnown, user: { username: object.spec.token } } });
    }
    if (object.kind === 'SubjectAccessReview') {
      const wanted = object.spec.resourceAttributes as Record<string, string>;
      this.asked.push(wanted);
      return Promise.resolve({ status: { allowed: object.spec.user === 'alice' || wanted.verb === 'get' } });
    }
    this.created.push(object);
    return Promise.resolve({ ...object, metadata: { ...object.metadata, name: 'orders-switch-x' } });
  };

  patchMerge = (_type: unknown, _ref: unknown, patch: { metadata: { annotations: Record<string, string | null> } }) => {
    const merged = { ...this.annotations, ...patch.metadata.annotations };
    this.annotations = Object.fromEntries(
      Object.entries(merged).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
    );
    return Promise.resolve({});
  };

  #cluster(): object {
    const at = (workingHostIP: string) => ({ workingHostIP, workingPort: 5432 });
    return {
      metadata: { name: 'orders', namespace: 'db', uid: 'u', annotations: this.annotations },
      spec: { dbType: 'postgresql', dbClusterType: 'local', storage: { size: '1Gi' } },
      status: {
        clusterStatus: 'Running',
        leaderInstanceId: '1',
        dbInstanceStatus: {
          1: {
            insType: 'rw',
            netInfo: at('10.0.0.1'),
            currentState: { state: 'RUNNING', startAt: '2026-01-01T00:00:00Z' },
          },
          2: { insType: 'ro', netInfo: at('fd00::2') },
        },
      },
    };
  }
}

describe('API of the cluster manager', () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  afterEach(async () => {
    await world.app.close();
  });

  for (const { method, path } of ROUTES) {
    it(`${method} ${path} needs a token that the API server takes`, async () => {
      expect(await world.call(method, BASE + path, { token: '' })).to.include({ status: 401, code: 401 });
      expect(await world.call(method, BASE + path, { token: 'mallory' })).to.include({ status: 401 });
    });
  }

  for (const { method, path, needs } of ROUTES.filter(route => route.method === 'POST')) {
    it(`${method} ${path} needs ${needs.verb} of mpdclusters/${needs.subresource ?? ''}`, async () => {
      const answer = await world.call(method, BASE + path, { token: 'bob', body: {} });
      expect(answer).to.include({ status: 403, reason: 'Forbidden' });
      expect(world.asked).to.deep.equal([
        { group: 'mpd.polardb.aliyun.com', resource: 'mpdclusters', namespace: 'db', name: 'orders', ...needs },
      ]);
    });
  }

  it('shows the topology in the form of the original', async () => {
    const { status, data } = await world.call('GET', `${BASE}/status?type=visual`, { token: 'bob' });
    expect(status).to.equal(200);
    expect(data).to.deep.include({
      phase: 'RunningPhase',
      cluster_manager: [{ endpoint: 'cm-1', role: 'leader' }],
    });
    const { rw, ro } = data as { rw: { endpoint: string; phase: string; role: string }; ro: { endpoint: string }[] };
    expect(rw).to.include({ endpoint: '10.0.0.1:5432', phase: 'RUNNING', role: 'RW' });
    expect(ro.map(it => it.endpoint)).to.deep.equal(['[fd00::2]:5432']);
  });

  it('gives the whole status, the version and the switch log', async () => {
    expect((await world.call('GET', `${BASE}/status`)).data).to.include({ leaderInstanceId: '1', mode: 'auto' });
    expect((await world.call('GET', `${BASE}/version`)).data).to.deep.equal({ version: '1.2.3', plugins: [] });
    const log = await world.call('GET', `${BASE}/switch_log`);
    expect(log.data).to.deep.equal({ LogItems: [{ epoch: 2, cause: 'EngineFailed' }] });
  });

  for (const to of ['2', '[fd00::2]:5432']) {
    it(`makes an operation of a switchover to ${to}, and names it`, async () => {
      const answer = await world.call('POST', `${BASE}/switchover`, { body: { to, from: '10.0.0.1:5432', force: 0 } });
      expect(answer).to.deep.include({ status: 202, data: { operation: 'orders-switch-x' } });
      expect(world.created.map(({ spec }) => spec)).to.deep.equal([
        { target: { name: 'orders' }, type: 'switchRw', switchRw: { instance: '2' }, requestedBy: 'user' },
      ]);
    });
  }

  const refused: [string, object, { status: number; says: RegExp }][] = [
    ['an unknown target', { to: '9' }, { status: 422, says: /9 is no instance; known: 1 \(10\.0\.0\.1:5432\), 2/ }],
    ['a wrong RW', { to: '1', from: '2' }, { status: 409, says: /2 is not the RW, which is 1/ }],
    ['force', { to: '2', force: 1 }, { status: 422, says: /forceFailover/ }],
    ['no target', {}, { status: 400, says: /^to: / }],
  ];
  for (const [what, body, { status, says }] of refused) {
    it(`refuses a switchover with ${what}`, async () => {
      const answer = await world.call('POST', `${BASE}/switchover`, { body });
      expect(answer.status).to.equal(status);
      expect(answer.msg).to.match(says);
      expect(world.created).to.deep.equal([]);
    });
  }

  it('holds automatic failover off for a while, tells so, and ends that', async () => {
    const held = await world.call('POST', `${BASE}/enable`, { body: { enable: 0, seconds: 60 } });
    expect(held.data).to.deep.equal({ mode: 'manual', until: '2026-01-01T12:01:00.000Z', by: 'alice' });
    expect(activeHold(world.annotations, NOW)?.by).to.equal('alice');
    expect((await world.call('GET', `${BASE}/ha_mode`)).data).to.include({ mode: 'manual', by: 'alice' });
    expect((await world.call('GET', `${BASE}/status?type=visual`)).data).to.include({ phase: 'DisableAllPhase' });
    await world.call('POST', `${BASE}/ha_mode`, { body: { mode: 'auto' } });
    expect(world.annotations).to.deep.equal({});
  });

  it('says what it does not know', async () => {
    expect(await world.call('GET', '/clusters/db/none/v1/status')).to.include({ status: 404, reason: 'NotFound' });
    expect(await world.call('POST', `${BASE}/exec`)).to.include({ status: 404, msg: `no call POST ${BASE}/exec` });
  });

  it('describes each call in its OpenAPI document', async () => {
    const answer = await world.app.inject({ url: '/openapi.json' });
    const { paths } = answer.json<{ paths: Record<string, Record<string, { operationId: string }>> }>();
    const described = Object.values(paths).flatMap(methods => Object.values(methods).map(it => it.operationId));
    expect(described.sort()).to.deep.equal(ROUTES.map(({ call }) => call).sort());
  });
});

describe('hold', () => {
  const cases: [string, string | undefined, boolean][] = [
    ['is none without the annotation', undefined, false],
    ['lasts until its time', '2026-01-01T12:00:01Z alice', true],
    ['has ended at its time', '2026-01-01T12:00:00Z alice', false],
    ['is at most a day long', '2026-01-02T12:00:01Z alice', false],
    ['names who holds', '2026-01-01T12:00:01Z', false],
    ['is not made of nonsense', 'forever me', false],
  ];
  for (const [what, value, isHeld] of cases) {
    it(what, () => {
      const found = activeHold(value === undefined ? {} : { [HOLD_ANNOTATION]: value }, NOW);
      expect(found !== undefined).to.equal(isHeld);
    });
  }
});
