import { expect } from 'chai';
import { request } from 'node:https';
import type { Pod } from '../operator/kube/resources.ts';
import { ACCESS } from '../operator/agent/access.ts';
import { BEAT_PATH, BEAT_PROTOCOL } from '../operator/agent-api/beat.ts';
import { CA_SECRET, instanceTlsSecret } from '../operator/model/names.ts';
import { POD_NETWORK_PORTS } from '../operator/model/ports.ts';
import { createCa } from '../operator/pki/ca.ts';
import type { KeyedCertificate } from '../operator/pki/keys.ts';
import { issueLeaf } from '../operator/pki/leaf.ts';
import { RESOURCES } from '../operator/kube/resources.ts';
import { decode, type Database } from './support/database.ts';
import { localSpec } from './support/engine.ts';
import { scenario } from './support/scenario.ts';
import { SYSTEM_NAMESPACE } from './support/stack.ts';

const CALLS: readonly { call: keyof typeof ACCESS; method: string; path: string }[] = [
  { call: 'state', method: 'GET', path: '/v1/state' },
  { call: 'task', method: 'GET', path: '/v1/tasks/any' },
  ...(
    [
      'install',
      'start',
      'promote',
      'demote',
      'stop',
      'restart',
      'resume',
      'prepare',
      'quorum',
      'checkpoint',
      'verify',
      'promises',
    ] as const
  ).map(call => ({
    call,
    method: 'POST',
    path: `/v1/${call}`,
  })),
  { call: 'beats', method: 'GET', path: BEAT_PATH },
  { call: 'settings', method: 'PUT', path: '/v1/settings' },
  { call: 'slots', method: 'PUT', path: '/v1/slots' },
  { call: 'account', method: 'POST', path: '/v1/accounts' },
  { call: 'database', method: 'POST', path: '/v1/databases' },
];
const PARTS = ['operator', 'cluster-manager', 'agent', 'cli'] as const;

describe('the API of an agent', function () {
  this.timeout(180_000);
  const scene = scenario('access');
  const now = { now: new Date() };
  let database: Database;
  let pod: Pod;
  let ca: KeyedCertificate;
  let trust: string;

  before(async () => {
    database = await scene.newCluster('access', localSpec(0));
    await database.ready();
    pod = await database.rwPod();
    const authority = await scene.client.get(RESOURCES.secrets, { namespace: SYSTEM_NAMESPACE, name: CA_SECRET });
    const { 'tls.crt': certificate = '', 'tls.key': key = '' } = decode(authority ?? {});
    ca = { certificate, key };
    const { leaderInstanceId = '' } = (await database.get()).status ?? {};
    trust = decode(await database.secret(instanceTlsSecret('access', leaderInstanceId)))['ca.crt'] ?? '';
  });

  it('covers every call', () => {
    expect(CALLS.map(({ call }) => call)).to.have.members(Object.keys(ACCESS));
  });

  for (const { call, method, path } of CALLS) {
    it(`refuses ${method} ${path} without a certificate of ours`, async () => {
      const foreign = await createCa(now);
      const forged = await issueLeaf(foreign, { subject: { part: 'operator', name: 'forged' }, sans: [] }, now);
      expect(await ask({ method, path }), 'none').to.match(/certificate|alert|ECONNRESET|hang up|EPROTO/i);
      expect(await ask({ method, path }, forged), 'of another authority').to.match(/alert|ECONNRESET|hang up|EPROTO/i);
    });

    it(`lets only ${ACCESS[call].join(', ')} call ${method} ${path}`, async () => {
      for (const part of [...PARTS, 'somebody']) {
        const own = await issueLeaf(ca, { subject: { part, name: 'test' }, sans: [] }, now);
        const answer = await ask({ method, path }, own);
        // An empty body is refused as such only after the caller was let in.
        const mayCall = (ACCESS[call] as readonly string[]).includes(part);
        expect(answer === '403', `${part}: ${answer}`).to.equal(!mayCall);
      }
    });
  }

  it('was changed by none of this', async () => {
    await database.isReady();
    expect((await database.rwPod()).metadata.uid).to.equal(pod.metadata.uid);
  });

  /** HTTP status of an answer, or how the connection failed. */
  function ask({ method, path }: { method: string; path: string }, own?: KeyedCertificate): Promise<string> {
    const isStream = path === BEAT_PATH;
    const options = {
      ...(isStream && { headers: { connection: 'Upgrade', upgrade: BEAT_PROTOCOL } }),
      host: pod.status?.podIP,
      port: POD_NETWORK_PORTS.agent,
      servername: pod.metadata.name,
      ca: trust,
      ...(own && { cert: own.certificate, key: own.key }),
      agent: false,
      timeout: 5_000,
    };
    return new Promise(resolve => {
      const sent = request({ ...options, method, path }, answer => {
        answer.resume();
        answer.on('end', () => resolve(String(answer.statusCode)));
      });
      sent.on('upgrade', ({ statusCode }, socket) => {
        socket.destroy();
        resolve(String(statusCode));
      });
      sent.on('error', error => resolve(String(error)));
      sent.on('timeout', () => sent.destroy(new Error('no answer')));
      sent.end(method === 'GET' ? undefined : '{}');
    });
  }
});
