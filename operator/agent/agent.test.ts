import { expect } from 'chai';
import type { AgentError } from '../agent-api/errors.ts';
import type { StopRequest } from '../agent-api/requests.ts';
import { Agent, type AgentParts } from './agent.ts';
import { jsonLog } from './log.ts';
import { StateStore } from './state-store.ts';
import type { Supervised } from './supervise.ts';
import { Tasks, type TaskContext } from './tasks.ts';
import { FakeClock, settle } from './testing/fake-clock.ts';

/** Resolves when told to. */
class Gate {
  open: () => void = () => undefined;
  readonly passed = new Promise<void>(resolve => (this.open = resolve));
}

/** An agent whose member does nothing but note it, and goes on only when its gate opens. */
class Bed {
  readonly notes: string[] = [];
  readonly clock = new FakeClock();
  readonly log = jsonLog(() => undefined, {});
  readonly tasks = new Tasks(this.clock, this.log);
  gate: Gate | undefined;
  rightEpoch = 1;
  isHeld = false;
  phase: Supervised['phase'] = 'running';
  store!: StateStore;
  agent!: Agent;
  #requests = 0;

  static async open(): Promise<Bed> {
    const bed = new Bed();
    let content: string | undefined;
    bed.store = await StateStore.open({
      read: () => Promise.resolve(content),
      write: text => {
        content = text;
        return Promise.resolve();
      },
    });
    const work =
      (name: string) =>
      async (_body: unknown, { signal }: TaskContext) => {
        bed.notes.push(`${name} begins`);
        const aborted = new Promise((_, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error)),
        );
        await Promise.race([bed.gate?.passed, aborted]);
        bed.notes.push(`${name} ends`);
      };
    const installation = { install: work('install') };
    const nothing = () => undefined;
    const promises = { epochKnown: nothing };
    const member = {
      start: work('start'),
      promote: work('promote'),
      restart: (mode: string, context: TaskContext) => work('restart')(mode, context),
      stop: (mode: string) => {
        bed.notes.push(`stopped ${mode}, demoted ${bed.store.now.demotedEpoch ?? 'never'}`);
        return Promise.resolve();
      },
      configure: () => Promise.resolve({ changed: ['a'], needRestart: [] }),
    };
    const right = {
      get isHeld() {
        return bed.isHeld;
      },
      get state() {
        return { epoch: bed.rightEpoch, generation: 1 };
      },
      revoked: (epoch: number) => {
        if (bed.isHeld && epoch > bed.rightEpoch) {
          bed.isHeld = false;
          void bed.agent.fence('revoked');
        }
        bed.rightEpoch = Math.max(epoch, bed.rightEpoch);
      },
      yielded: (epoch: number) => {
        bed.isHeld &&= epoch <= bed.rightEpoch;
        bed.rightEpoch = Math.max(epoch, bed.rightEpoch);
      },
      renew: () => {
        bed.notes.push('renew');
        return Promise.resolve();
      },
    };
    const supervisor = {
      get state() {
        return { phase: bed.phase };
      },
      stop: (mode: string) => bed.notes.push(`signal ${mode}`),
    };
    const made = (name: string) => () => {
      bed.notes.push(name);
      return Promise.resolve({ created: true });
    };
    const manage = { account: made('account'), database: made('database'), slots: made('slots') };
    const { store, tasks, log } = bed;
    const names = { clusterUid: 'u', incarnation: 'me', cluster: 'orders' };
    const things = { member, installation, supervisor, right, manage, promises, told: nothing };
    const parts = { ...names, ...things, store, tasks, log, clock: bed.clock };
    bed.agent = new Agent(parts as unknown as AgentParts);
    return bed;
  }

  body(epoch = 1, change: object = {}): StopRequest {
    const requestId = `r${++this.#requests}`;
    return { command: { requestId, incarnation: 'me', clusterUid: 'u', epoch, term: 1, generation: 1, ...change } };
  }
}

const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'accepted',
    (error: unknown) => (error as AgentError).code,
  );

describe('commands', () => {
  let bed: Bed;
  beforeEach(async () => (bed = await Bed.open()));

  it('are durable before they are obeyed', async () => {
    await bed.agent.demote({ ...bed.body(4), waitMs: 1_000 });
    expect(bed.notes).to.deep.equal(['stopped fast, demoted 4']);
    expect(bed.store.now).to.deep.include({ demotedEpoch: 4, plan: { role: 'stopped' } });
    expect(bed.store.now.highest).to.include({ epoch: 4, term: 1, generation: 1 });
  });

  for (const [what, change, code] of [
    ['an older epoch', { epoch: 1, term: 9, generation: 9 }, 'StaleCommand'],
    ['an older term', { epoch: 2, term: 1, generation: 9 }, 'StaleCommand'],
    ['an older generation', { epoch: 2, term: 2, generation: 1 }, 'StaleCommand'],
    ['the same', { epoch: 2, term: 2, generation: 2 }, 'accepted'],
    ['another cluster', { epoch: 3, clusterUid: 'v' }, 'ForeignCluster'],
    ['another incarnation', { epoch: 3, incarnation: 'twin' }, 'WrongIncarnation'],
  ] as const) {
    it(`of ${what}: ${code}`, async () => {
      await bed.agent.stop(bed.body(2, { term: 2, generation: 2 }));
      await bed.tasks.idle();
      bed.notes.length = 0;
      for (const call of ['stop', 'promote', 'start', 'install', 'restart', 'settings'] as const) {
        const body = { ...bed.body(2, change), task: { kind: 'join' }, settings: {} };
        expect(await codeOf(bed.agent[call](body as never)), call).to.equal(code);
        await bed.tasks.idle();
      }
      if (code !== 'accepted') expect(bed.notes).to.deep.equal([]);
    });
  }

  it('are done once, and tell their outcome again', async () => {
    const body = bed.body();
    const first = await bed.agent.promote({ ...body, waitMs: 1_000 });
    expect(first.state).to.equal('done');
    expect(await bed.agent.promote({ ...body, waitMs: 5 })).to.deep.equal(first);
    expect(bed.agent.task(body.command.requestId)).to.deep.equal(first);
    expect(bed.notes).to.deep.equal(['promote begins', 'promote ends']);
    expect(await codeOf(bed.agent.restart(body))).to.equal('RequestIdReused');
  });

  it('that arrive twice at once are done once', async () => {
    const body = bed.body();
    await Promise.all([bed.agent.promote(body), bed.agent.promote(body)]);
    await bed.tasks.idle();
    expect(bed.notes).to.deep.equal(['promote begins', 'promote ends']);
  });

  it('wait for no task: one at a time', async () => {
    bed.gate = new Gate();
    const running = await bed.agent.promote(bed.body());
    expect(running.state).to.equal('running');
    expect(await codeOf(bed.agent.restart(bed.body()))).to.equal('Busy');
    expect(await codeOf(bed.agent.settings({ ...bed.body(), settings: {} }))).to.equal('Busy');
    bed.gate.open();
    await bed.tasks.idle();
  });

  for (const what of ['start', 'rejoin'] as const) {
    it(`to ${what} end a start under way: of an upstream that has gone it would wait for ever`, async () => {
      bed.gate = new Gate();
      const before = { ...bed.body(), settings: {}, role: 'ro' } as const;
      await bed.agent.start(before);
      const after = { ...bed.body(), settings: {}, role: 'ro', task: { kind: 'rejoin' } };
      await (what === 'start' ? bed.agent.start(after as never) : bed.agent.install(after as never));
      expect(bed.agent.task(before.command.requestId).error?.code).to.equal('Interrupted');
      expect(bed.tasks.latest).to.include({ kind: what, state: 'running' });
      expect(await codeOf(bed.agent.restart(bed.body()))).to.equal('Busy');
      bed.gate.open();
      await bed.tasks.idle();
    });
  }

  it('to start that are stale end none', async () => {
    bed.gate = new Gate();
    const running = { ...bed.body(2), settings: {}, role: 'ro' } as const;
    await bed.agent.start(running);
    expect(await codeOf(bed.agent.start({ ...bed.body(1), settings: {}, role: 'ro' }))).to.equal('StaleCommand');
    expect(bed.agent.task(running.command.requestId).state).to.equal('running');
    bed.gate.open();
    await bed.tasks.idle();
  });

  it('answer after waitMs, also when the task goes on', async () => {
    bed.gate = new Gate();
    const answer = bed.agent.promote({ ...bed.body(), waitMs: 500 });
    await settle();
    await bed.clock.advance(500);
    expect((await answer).state).to.equal('running');
    bed.gate.open();
    await bed.tasks.idle();
  });

  it('to demote end a promotion under way, then prove', async () => {
    bed.gate = new Gate();
    const promotion = bed.body();
    await bed.agent.promote(promotion);
    await bed.agent.demote({ ...bed.body(2), mode: 'kill', waitMs: 1_000 });
    expect(bed.agent.task(promotion.command.requestId)).to.nested.include({
      state: 'failed',
      'error.code': 'Interrupted',
    });
    expect(bed.notes).to.deep.equal(['promote begins', 'stopped kill, demoted 2']);
  });

  it('to demote that are stale end nothing', async () => {
    bed.gate = new Gate();
    const promotion = bed.body(3);
    await bed.agent.promote(promotion);
    expect(await codeOf(bed.agent.demote(bed.body(2)))).to.equal('StaleCommand');
    expect(bed.agent.task(promotion.command.requestId).state).to.equal('running');
    bed.gate.open();
    await bed.tasks.idle();
  });

  it('of a newer epoch end the reign of the older one before anything else', async () => {
    bed.isHeld = true;
    await bed.agent.promote({ ...bed.body(2), waitMs: 1_000 });
    expect(bed.notes).to.deep.equal(['signal kill', 'stopped kill, demoted 2', 'promote begins', 'promote ends']);
  });

  it('of a newer generation make the agent look at E again', async () => {
    bed.isHeld = true;
    await bed.agent.settings({ ...bed.body(1, { generation: 2 }), settings: {} });
    expect(bed.notes).to.deep.equal(['renew']);
  });

  it('for the RW alone are refused elsewhere', async () => {
    const slots = () => bed.agent.slots({ ...bed.body(), slots: [] });
    expect(await codeOf(slots())).to.equal('WrongRole');
    await bed.store.change({ plan: { role: 'rw' } });
    bed.phase = 'waiting';
    expect(await codeOf(slots())).to.equal('EngineNotRunning');
    bed.phase = 'running';
    expect(await codeOf(slots())).to.equal('accepted');
    expect(bed.notes).to.deep.equal(['slots']);
  });
});

it('a task that is not known is not found', async () => {
  const { agent } = await Bed.open();
  expect(() => agent.task('r0')).to.throw('no task "r0"');
});
