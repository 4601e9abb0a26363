import { expect } from 'chai';
import type { Server } from 'node:https';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Beat, Report } from '../agent-api/beat.ts';
import { AgentConnector, type TlsMaterial } from '../agent-api/client.ts';
import { AgentError } from '../agent-api/errors.ts';
import { JsonLines } from '../agent-api/lines.ts';
import { createCa } from '../pki/ca.ts';
import type { KeyedCertificate } from '../pki/keys.ts';
import { issueLeaf } from '../pki/leaf.ts';
import { ACCESS, mayCall, partOf } from './access.ts';
import { jsonLog } from './log.ts';
import type { Calls } from './routes.ts';
import { renewTls, startApiServer } from './server.ts';
import { eventually } from './testing/namespace.ts';

const NAME = 'orders-1001';
const command = { requestId: 'r', incarnation: 'i', clusterUid: 'u', epoch: 1, term: 1, generation: 1 };
const task = { id: 'r', kind: 'k', state: 'running', phase: '', startedAt: 'now' } as const;
const now = new Date();

async function leaf(ca: KeyedCertificate, part: string, sans: string[] = []): Promise<TlsMaterial> {
  const { certificate, key } = await issueLeaf(ca, { subject: { part, name: 'test' }, sans }, { now });
  return { ca: ca.certificate, cert: certificate, key };
}

const failure = (call: Promise<unknown>): Promise<AgentError> =>
  call.then(
    () => Promise.reject(new Error('accepted')),
    (error: unknown) => error as AgentError,
  );

describe('HTTPS API', () => {
  let ca: KeyedCertificate;
  let server: Server;
  let port: number;
  const lines: string[] = [];
  const connectors: AgentConnector[] = [];
  let asked: unknown[] = [];
  const note =
    <T>(answer: T) =>
    (body: unknown): Promise<T> => {
      asked.push(body);
      return Promise.resolve(answer);
    };
  const calls: Calls = {
    state: () => Promise.reject(new Error('disk on fire')),
    task: () => ({ ...task, state: 'done' }),
    install: note(task),
    start: note(task),
    promote: () => Promise.reject(new AgentError('NoRight', 'not you')),
    demote: note(task),
    stop: note(task),
    restart: note(task),
    resume: note(task),
    prepare: note({ epoch: 1, promiseAgeMs: 0 }),
    quorum: note({ generation: 1, members: [], k: 0, isInEffect: true }),
    checkpoint: note({ isDone: true }),
    verify: note({ isWritten: true, tookMs: 1 }),
    promises: (_body, commonName) => Promise.resolve({ promised: commonName === 'test' }),
    settings: note({ changed: [], needRestart: [], settingsHash: 'h' }),
    slots: note({ created: [], dropped: [] }),
    account: note({ created: true }),
    database: note({ created: true }),
  };
  const streams: JsonLines[] = [];
  const onBeats = (connection: Duplex, head: Buffer): void => {
    const lines = new JsonLines(
      connection,
      value => asked.push(value),
      () => undefined,
    );
    streams.push(lines);
    lines.unshift(head);
  };
  const client = (tls: TlsMaterial, serverName = NAME) => {
    const connector = new AgentConnector(tls, 2_000);
    connectors.push(connector);
    return connector.to({ address: '127.0.0.1', port, serverName });
  };

  before(async () => {
    ca = await createCa({ now });
    const log = jsonLog(line => lines.push(line), {});
    server = await startApiServer({ port: 0, tls: await leaf(ca, 'agent', [NAME]), calls, onBeats, log });
    ({ port } = server.address() as AddressInfo);
  });
  beforeEach(() => {
    asked = [];
    lines.length = 0;
  });
  after(() => {
    for (const connector of connectors) connector.close();
    server.close();
    server.closeAllConnections();
  });

  it('answers a part that may call', async () => {
    const manager = client(await leaf(ca, 'cluster-manager'));
    expect(await manager.stop({ command, mode: 'fast' })).to.include({ state: 'running' });
    expect(await manager.task('a/b')).to.include({ state: 'done' });
    expect(asked).to.deep.equal([{ command, mode: 'fast', waitMs: 0 }]);
  });

  it('refuses a caller without a certificate', async () => {
    const bare = { ca: ca.certificate, cert: '', key: '' };
    expect(await failure(client(bare).stop({ command }))).to.include({ code: 'Unreachable' });
    expect(asked).to.deep.equal([]);
  });

  it('refuses a certificate of another authority', async () => {
    const stranger = await leaf(await createCa({ now }), 'operator');
    const error = await failure(client({ ...stranger, ca: ca.certificate }).stop({ command }));
    expect(error).to.include({ code: 'Unreachable', retryable: true });
    expect(asked).to.deep.equal([]);
  });

  it('refuses a part that may not call, and every part that is not ours', async () => {
    for (const part of ['cli', 'agent', 'postgres']) {
      expect(await failure(client(await leaf(ca, part)).stop({ command }))).to.include({
        code: 'Forbidden',
        status: 403,
      });
    }
    expect(asked).to.deep.equal([]);
  });

  it('is not believed under another name', async () => {
    const error = await failure(client(await leaf(ca, 'cluster-manager'), 'orders-1002').stop({ command }));
    expect(error.code).to.equal('Unreachable');
    expect(error.message).to.include('orders-1002');
  });

  it('names the field that is wrong, and never what was sent', async () => {
    const operator = client(await leaf(ca, 'operator'));
    const account = { command, name: 'app', password: 'sécret-password', level: 1 } as const;
    const error = await failure(operator.account(account));
    expect(error).to.include({ code: 'InvalidRequest', status: 400, field: 'password' });
    expect(`${error.message}${lines.join('')}`).to.not.include(account.password);
  });

  it('carries refusals and failures', async () => {
    const manager = client(await leaf(ca, 'cluster-manager'));
    expect(await failure(manager.promote({ command }))).to.include({
      code: 'NoRight',
      message: 'not you',
      retryable: true,
    });
    expect(await failure(manager.state())).to.include({ code: 'Internal', status: 500, message: 'disk on fire' });
  });

  for (const [what, method, path, body, code] of [
    ['an unknown call', 'GET', '/v2/state', '', 'NotFound'],
    ['a call by another method', 'POST', '/v1/settings', '{}', 'NotFound'],
    ['what is not JSON', 'POST', '/v1/stop', '{', 'InvalidRequest'],
    ['what is too long', 'POST', '/v1/stop', `"${'x'.repeat(1024 * 1024)}"`, 'TooLarge'],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const tls = await leaf(ca, 'cluster-manager');
      const answer = await raw({ ...tls, host: '127.0.0.1', port, servername: NAME, method, path, agent: false }, body);
      expect(JSON.parse(answer)).to.have.nested.property('error.code', code);
    });
  }

  describe('streams of beats', () => {
    const beat: Beat = { cm: 'cm-1', isLeader: true, peers: [] };
    const report: Report = {
      nonce: 'n',
      incarnation: 'i',
      bootedAt: 'now',
      leaving: false,
      engine: { state: 'stopped', acceptsWrites: false },
      plan: { role: 'stopped' },
      promiseAgeMs: 1,
      volume: { state: 'blank' },
      right: { kind: 'none' },
    };
    // The authority of this part of the test again, whatever stood in between.
    before(async () => renewTls(server, await leaf(ca, 'agent', [NAME])));
    const stream = async (part: string) => {
      const connector = new AgentConnector(await leaf(ca, part), 2_000);
      connectors.push(connector);
      return connector.beats({ address: '127.0.0.1', port, serverName: NAME });
    };

    it('carry beats and reports both ways until one side closes', async () => {
      const it = await stream('cluster-manager');
      await once(it, 'open');
      it.send(beat);
      await eventually('the beat', () => asked.length > 0);
      expect(asked).to.deep.equal([beat]);
      const heard = once(it, 'report');
      streams.at(-1)?.send(report);
      expect(await heard).to.deep.equal([report]);
      const ended = once(it, 'end');
      it.close();
      expect(((await ended) as [AgentError])[0].code).to.equal('Unreachable');
      it.send(beat);
    });

    it('are refused to others', async () => {
      const it = await stream('operator');
      const [error] = (await once(it, 'end')) as [AgentError];
      expect(error).to.include({ code: 'BadAnswer' });
      expect(error.message).to.include('403');
    });

    it('end when the other side sends what is no report', async () => {
      const it = await stream('cluster-manager');
      await once(it, 'open');
      const ended = once(it, 'end');
      streams.at(-1)?.send({ nonce: 1 });
      await ended;
    });
  });

  it('takes a renewed certificate and another authority without a restart', async () => {
    const next = await createCa({ now });
    renewTls(server, await leaf(next, 'agent', [NAME]));
    expect(await client(await leaf(next, 'cluster-manager')).stop({ command })).to.include({ state: 'running' });
    expect(await failure(client(await leaf(ca, 'cluster-manager')).stop({ command }))).to.include({
      code: 'Unreachable',
    });
  });
});

function raw(options: object, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    httpsRequest(options, incoming => {
      let text = '';
      incoming.on('data', (chunk: Buffer) => (text += chunk.toString()));
      incoming.on('end', () => resolve(text));
    })
      .on('error', reject)
      .end(body);
  });
}

describe('who may call what', () => {
  for (const [subject, part] of [
    [{ O: 'polardb-stack', OU: 'operator', CN: 'x' }, 'operator'],
    [{ O: 'polardb-stack', OU: 'ca' }, undefined],
    [{ O: 'other', OU: 'operator' }, undefined],
    [{ O: 'polardb-stack', OU: ['operator', 'cli'] }, undefined],
    [undefined, undefined],
  ] as const) {
    it(JSON.stringify(subject ?? 'nobody'), () => expect(partOf(subject as never)).to.equal(part));
  }

  it('only the cluster manager moves anything, so that no other part can undo what it decided', () => {
    for (const call of ['install', 'start', 'promote', 'demote', 'stop', 'restart', 'settings', 'slots'] as const)
      expect(ACCESS[call]).to.deep.equal(['cluster-manager']);
  });

  it('only the operator opens data', () => {
    for (const call of ['account', 'database'] as const) expect(ACCESS[call]).to.deep.equal(['operator']);
  });

  it('only a cluster manager is beaten with, only agents are promised to', () => {
    expect(ACCESS.beats).to.deep.equal(['cluster-manager']);
    expect(ACCESS.promises).to.deep.equal(['agent']);
  });

  it('agents and people only look', () => {
    expect(mayCall('agent', 'state')).to.equal(true);
    for (const part of ['agent', 'cli'] as const) expect(mayCall(part, 'promote')).to.equal(false);
  });
});
