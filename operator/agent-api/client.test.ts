import { expect } from 'chai';
import { readAnswer } from './client.ts';
import { AgentError } from './errors.ts';
import { hashSettings } from './hash.ts';
import {
  accountRequest,
  installRequest,
  promoteRequest,
  settingsRequest,
  slotsRequest,
  startRequest,
} from './requests.ts';
import { memberSlot } from './schemas.ts';
import { agentStateSchema, taskSchema } from './state.ts';

const command = { requestId: 'r1', incarnation: '1/p/0', clusterUid: 'u', epoch: 1, term: 1, generation: 1 };
const upstream = { host: 'orders-rw.db.svc', address: '10.0.0.1', port: 5432, slot: 'polardb_stack_1' };
const task = { id: 'r1', kind: 'promote', state: 'done', phase: '', startedAt: '2026-01-01T00:00:00Z' };
const state = {
  apiVersion: 1,
  incarnation: '1/p/0',
  bootedAt: '2026-01-01T00:00:00Z',
  cluster: { namespace: 'db', name: 'orders', uid: 'u' },
  group: 'orders',
  instanceId: '1',
  engine: { name: 'postgresql' },
  volume: { state: 'blank' },
  plan: { role: 'stopped' },
  process: { state: 'stopped' },
  right: { holds: false, kind: 'none', unbounded: false },
};

const failure = (run: () => unknown): AgentError => {
  try {
    run();
  } catch (error) {
    if (error instanceof AgentError) return error;
  }
  throw new Error('no AgentError');
};

describe('answers', () => {
  it('of a later release are read without their unknown fields', () => {
    const text = JSON.stringify({ ...state, apiVersion: 2, mood: 'good', process: { state: 'stopped', niceness: 3 } });
    expect(readAnswer({ status: 200, text }, agentStateSchema)).to.deep.equal({ ...state, apiVersion: 2 });
  });

  it('of the first release are read', () => {
    expect(readAnswer({ status: 200, text: JSON.stringify(task) }, taskSchema)).to.deep.equal(task);
  });

  for (const [what, status, text, expected] of [
    ['a refusal', 409, { error: { code: 'NoRight', message: 'm' } }, { code: 'NoRight', retryable: true, status: 409 }],
    ['a code of a later release', 503, { error: { code: 'Tired', message: 'm' } }, { code: 'Tired', retryable: true }],
    ['a refusing later code', 422, { error: { code: 'Odd', message: 'm' } }, { code: 'Odd', retryable: false }],
    ['another program', 200, { hello: 1 }, { code: 'BadAnswer' }],
    ['another program that refuses', 404, { message: 'no' }, { code: 'BadAnswer', status: 404 }],
  ] as const) {
    it(`${what} is an AgentError`, () =>
      expect(failure(() => readAnswer({ status, text: JSON.stringify(text) }, taskSchema))).to.include(expected));
  }

  it('that are not JSON are an AgentError', () =>
    expect(failure(() => readAnswer({ status: 502, text: '<html>' }, taskSchema)).code).to.equal('BadAnswer'));

  it('carry the highest command', () => {
    const highest = { clusterUid: 'u', epoch: 3, term: 1, generation: 1 };
    const text = JSON.stringify({ error: { code: 'StaleCommand', message: 'm', highest } });
    expect(failure(() => readAnswer({ status: 409, text }, taskSchema)).highest).to.deep.equal(highest);
  });
});

/** Requests as the first release sent them. They must stay acceptable: add a line, never change one. */
const FIRST_RELEASE = [
  ['initialize', installRequest, { command, task: { kind: 'initialize', settings: { work_mem: '4MB' } } }],
  ['join', installRequest, { command, task: { kind: 'join', upstream } }],
  ['start', startRequest, { command, role: 'ro', upstream, settings: {} }],
  ['promote', promoteRequest, { command }],
  ['settings', settingsRequest, { command, settings: { 'pg_stat_statements.max': '5000' } }],
  ['slots', slotsRequest, { command, slots: ['polardb_stack_1'] }],
  ['account', accountRequest, { command, name: 'aurora', password: 'abcdefgh', level: 7 }],
] as const;

describe('requests', () => {
  for (const [what, schema, body] of FIRST_RELEASE) {
    it(`${what} of the first release is accepted`, () => expect(schema.safeParse(body).success).to.equal(true));
    it(`${what} of a later release is accepted without what is unknown`, () =>
      expect(schema.parse({ ...body, later: true })).to.not.have.property('later'));
  }

  for (const [what, schema, body] of [
    ['a setting of two lines', settingsRequest, { command, settings: { work_mem: '4MB\nfsync=off' } }],
    ['a setting whose name is none', settingsRequest, { command, settings: { 'a b': '1' } }],
    ['a foreign slot', slotsRequest, { command, slots: ['backup'] }],
    ['an unknown level', accountRequest, { command, name: 'a', password: 'abcdefgh', level: 18 }],
    ['a password that SASLprep would change', accountRequest, { command, name: 'a', password: 'pässword', level: 1 }],
    [
      'a name that PostgreSQL would cut',
      accountRequest,
      { command, name: 'ä'.repeat(32), password: 'x'.repeat(8), level: 1 },
    ],
    ['a negative epoch', promoteRequest, { command: { ...command, epoch: -1 } }],
  ] as const) {
    it(`refuses ${what}`, () => expect(schema.safeParse(body).success).to.equal(false));
  }
});

it('the slot of a member is one that the slots call owns', () =>
  expect(slotsRequest.safeParse({ command, slots: [memberSlot('ins-1')] }).success).to.equal(true));

it('the hash of settings does not depend on their order', () => {
  expect(hashSettings({ a: '1', b: '2' })).to.equal(hashSettings({ b: '2', a: '1' }));
  expect(hashSettings({ a: '1' })).to.not.equal(hashSettings({ a: '2' }));
});
