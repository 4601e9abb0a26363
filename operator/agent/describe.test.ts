import { expect } from 'chai';
import { agentStateSchema } from '../agent-api/state.ts';
import { parseAgentConfig } from '../agent-api/config.ts';
import { describeState, type StateView } from './describe.ts';
import { IDLE } from './supervise.ts';

const config = parseAgentConfig(
  JSON.stringify({
    cluster: { namespace: 'db', name: 'orders', uid: 'u' },
    group: 'orders',
    instanceId: '1',
    dbType: 'postgresql',
    topology: 'share',
    ports: { engine: 1, agent: 2, health: 3 },
    paths: { data: '/d', shared: '/s', run: '/r', tls: '/t', replicator: '/p', log: '/l' },
    record: { namespace: 'db', leaseName: 'orders-primary' },
  }),
);
const task = { id: 'r', kind: 'promote', state: 'running', phase: 'p', startedAt: 'now' } as const;
const rest: StateView = {
  config,
  incarnation: '1/p/0',
  program: '1',
  bootedAt: new Date(0),
  now: new Date(1_000),
  engine: { name: 'postgresql', version: '15.1' },
  store: { plan: { role: 'stopped' }, settings: {}, demotedEpoch: 4 },
  settingsHash: 'h',
  volume: { state: 'initialized' },
  supervised: IDLE,
  serves: role => role === 'rw',
  facts: undefined,
  right: { epoch: 4, generation: 1 },
  boottime: 10_000,
  task: undefined,
  isAlone: () => true,
};
const running: StateView = {
  ...rest,
  store: { plan: { role: 'rw' }, settings: {} },
  supervised: { ...IDLE, phase: 'running', wanted: true, pid: 7, startedAt: 500 },
};

describe('state of an agent', () => {
  it('fits its own schema', () => {
    for (const view of [rest, running]) {
      const state = JSON.parse(JSON.stringify(describeState(view))) as unknown;
      expect(agentStateSchema.parse(state)).to.deep.equal(state);
    }
  });

  for (const [what, change, stopped] of [
    ['at rest, demoted, alone', {}, { epoch: 4, at: '1970-01-01T00:00:01.000Z' }],
    ['never demoted', { store: { ...rest.store, demotedEpoch: undefined } }, undefined],
    ['somebody else in /proc', { isAlone: () => false }, undefined],
    ['an engine process', { supervised: running.supervised }, undefined],
    ['being cleaned up after', { supervised: { ...IDLE, phase: 'cleaning' } }, undefined],
    ['about to start again', { supervised: { ...IDLE, phase: 'waiting', wanted: true } }, undefined],
    ['a task that may start it', { task }, undefined],
    ['told to be RW', { store: { ...rest.store, plan: { role: 'rw' } } }, undefined],
  ] as [string, Partial<StateView>, object | undefined][]) {
    it(`stopped? ${what}: ${stopped ? 'yes' : 'no'}`, () =>
      expect(describeState({ ...rest, ...change }).stopped).to.deep.equal(stopped));
  }

  for (const [what, change, state] of [
    ['a member that stands ready', { store: { ...rest.store, plan: { role: 'ro' } } }, 'held'],
    ['a crash that is being cleaned up after', { supervised: { ...IDLE, phase: 'cleaning', wanted: true } }, 'crashed'],
    ['a stop that is being proven', { supervised: { ...IDLE, phase: 'cleaning' } }, 'stopping'],
    ['a crash that waits', { supervised: { ...IDLE, phase: 'waiting', wanted: true } }, 'crashed'],
  ] as [string, Partial<StateView>, string][]) {
    it(`${what} is ${state}`, () => expect(describeState({ ...rest, ...change }).process.state).to.equal(state));
  }

  for (const [what, right, expected] of [
    ['none', undefined, { holds: false, kind: 'none', unbounded: false }],
    ['without end', { kind: 'alone', until: Infinity }, { holds: true, kind: 'alone', unbounded: true }],
    [
      'with an end',
      { kind: 'record', until: 12_000 },
      { holds: true, kind: 'record', unbounded: false, remainingMs: 2_000 },
    ],
    ['that has ended', { kind: 'record', until: 10_000 }, { holds: false, kind: 'none', unbounded: false }],
  ] as const) {
    it(`a right ${what}`, () =>
      expect(describeState({ ...rest, right: { epoch: 4, generation: 1, right } }).right).to.deep.equal(expected));
  }
});
