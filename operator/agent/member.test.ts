import { expect } from 'chai';
import type { Launch } from '../engine/profile.ts';
import { jsonLog } from './log.ts';
import { Member, type MemberParts } from './member.ts';
import { StateStore } from './state-store.ts';
import type { Phase } from './supervise.ts';

const upstream = (address: string) => ({ host: 'db-rw', address, port: 5432, slot: 'polardb_stack_2' });
const command = { requestId: 'r', incarnation: '2/p/0', clusterUid: 'u', epoch: 1, term: 1, generation: 1 };

/** A member over an engine that is where the test puts it. */
async function bed(phase: Phase) {
  const calls: string[] = [];
  const store = await StateStore.open({ read: () => Promise.resolve(undefined), write: () => Promise.resolve() });
  const state = { phase };
  const parts: unknown = {
    store,
    profile: {
      serves: () => true,
      launch: ({ upstream: at }: { upstream: { address: string } }) => {
        calls.push(`launch from ${at.address}`);
        return Promise.resolve({} as Launch);
      },
      configure: () => Promise.resolve(calls.push('configure')),
    },
    volume: { state: () => Promise.resolve({ state: 'initialized' }) },
    supervisor: {
      state,
      start: () => {
        calls.push('start');
        state.phase = 'running';
      },
      stop: (mode: string) => {
        calls.push(`stop ${mode}`);
        state.phase = 'idle';
      },
      until: () => Promise.resolve(state),
    },
    replication: {
      forgetPosition: () => undefined,
      launching: () => undefined,
      follow: (_plan: unknown, { address }: { address: string }) => Promise.resolve(calls.push(`follow ${address}`)),
    },
    completeUpstream: (at: unknown) => Promise.resolve(at),
    log: jsonLog(() => undefined, {}),
  };
  const member = new Member(parts as MemberParts);
  const renewTls = (): Promise<void> => member.renewTls();
  const start = (address: string): Promise<void> =>
    member.start(
      { command, role: 'ro', upstream: upstream(address), settings: {} },
      { report: () => undefined, signal: new AbortController().signal },
    );
  await store.change({ plan: { role: 'ro', upstream: upstream('10.0.0.1') } });
  await member.launch();
  return { calls, start, renewTls };
}

describe('a follower is told to follow', () => {
  for (const [what, phase, address, expected] of [
    ['another RW: by reload', 'running', '10.0.0.2', ['start', 'follow 10.0.0.2']],
    [
      'another RW while it comes up: it may wait for the former one for ever',
      'starting',
      '10.0.0.2',
      ['stop fast', 'start'],
    ],
    ['the same one while it comes up', 'starting', '10.0.0.1', ['start']],
  ] as const) {
    it(what, async () => {
      const { calls, start } = await bed(phase);
      await start(address);
      expect(calls).to.deep.equal(['launch from 10.0.0.1', ...expected]);
    });
  }
});

describe('renewed certificates', () => {
  for (const [phase, expected] of [
    ['running', ['configure']],
    ['starting', 'comes up'],
    ['launching', 'comes up'],
    ['waiting', []],
    ['idle', []],
  ] as [Phase, string | string[]][]) {
    it(`of an engine that is ${phase}`, async () => {
      const { calls, renewTls } = await bed(phase);
      calls.length = 0;
      const refusal = await renewTls().then(() => calls, String);
      expect(refusal).to.be.an(typeof expected === 'string' ? 'string' : 'array');
      if (typeof expected === 'string') expect(refusal).to.include(expected);
      else expect(calls).to.deep.equal(expected);
    });
  }
});
