import { expect } from 'chai';
import type { AddressInfo } from 'node:net';
import { objectionToReady, startHealthServer, type HealthView } from './health.ts';

const look = { role: 'ro', acceptsWrites: false, streaming: true } as const;
const ro: HealthView = { plan: { role: 'ro' }, phase: 'running', isServing: true, look, hasStreamed: true };
const rw: HealthView = { ...ro, plan: { role: 'rw' }, look: { ...look, role: 'rw', acceptsWrites: true } };

describe('readiness', () => {
  for (const [what, view, objection] of [
    ['an RW that accepts writes', rw, undefined],
    ['an RW that does not', { ...rw, look: { ...look, role: 'rw' } }, 'does not accept writes'],
    ['a streaming follower', ro, undefined],
    ['a follower that has streamed', { ...ro, look: { ...look, streaming: false } }, undefined],
    [
      'a follower that never did',
      { ...ro, look: { ...look, streaming: false }, hasStreamed: false },
      'never streamed from the RW',
    ],
    ['a follower that is no follower', { ...ro, look: { ...look, role: 'rw' } }, 'runs as RW, told to follow'],
    ['silent SQL', { ...ro, look: undefined }, 'SQL does not answer in time'],
    ['a starting engine', { ...ro, phase: 'starting' }, 'engine is starting'],
    ['a member that stands ready', { ...ro, phase: 'idle', isServing: false, look: undefined }, undefined],
    ['a stopped member', { ...ro, plan: { role: 'stopped' }, phase: 'idle' }, 'stopped'],
  ] as [string, HealthView, string | undefined][]) {
    it(`${what}: ${objection ?? 'ready'}`, () => expect(objectionToReady(view)).to.equal(objection));
  }
});

it('the health port answers three questions apart and nothing else', async () => {
  const server = await startHealthServer(0, () => Promise.resolve('starting'));
  const { port } = server.address() as AddressInfo;
  try {
    const ask = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status;
    const answers = [await ask('/livez'), await ask('/startupz'), await ask('/readyz'), await ask('/v1/state')];
    expect(answers).to.deep.equal([200, 200, 503, 404]);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
