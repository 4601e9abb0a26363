import { expect } from 'chai';
import { AgentError } from '../agent-api/errors.ts';
import type { TaskState } from '../agent-api/state.ts';
import { commandStamp } from '../ha/record.ts';
import { FakeClock, settle } from '../kube/testing/fake-clock.ts';
import { silentLogger } from '../kube/testing/support.ts';
import { Commander, type Order } from './commander.ts';
import { granted, one } from './testing/samples.ts';

const task = (state: TaskState['state']): TaskState => ({
  id: 'r',
  kind: 'promote',
  state,
  phase: '',
  startedAt: '',
  ...(state === 'failed' && { error: { code: 'EngineFailed', message: 'it did not start' } }),
});

describe('commander', () => {
  let clock: FakeClock;
  let commander: Commander;
  let ended: number;
  let disobeyed: number;
  let requests: string[];

  const order = (send: Order['send'], key = 'k'): Order => ({
    key,
    kind: 'promote',
    on: one,
    stamp: commandStamp(granted),
    send: (command, signal) => {
      requests.push(command.requestId);
      return send(command, signal);
    },
  });
  const states = (): string[] => commander.outcomes.map(it => it.state);

  beforeEach(() => {
    clock = new FakeClock();
    ended = 0;
    disobeyed = 0;
    requests = [];
    commander = new Commander({
      clock,
      log: silentLogger,
      identity: 'cm',
      ended: () => ended++,
      disobeyed: () => disobeyed++,
    });
  });

  it('sends one order once while it is under way', async () => {
    let finish: (task: TaskState) => void = () => undefined;
    const pending = order(() => new Promise<TaskState>(resolve => (finish = resolve)));
    commander.give(pending);
    commander.give(pending);
    expect(states()).to.deep.equal(['running']);
    finish(task('done'));
    await settle();
    expect([requests.length, ended, states()]).to.deep.equal([1, 1, ['done']]);
  });

  it('asks again under the same request id while the task goes on', async () => {
    const answers = [task('running'), task('done')];
    commander.give(order(() => Promise.resolve(answers.shift()!)));
    await clock.advance(100);
    expect(new Set(requests).size).to.equal(1);
    expect([requests.length, states()]).to.deep.equal([2, ['done']]);
  });

  it('lets a failed order rest, longer each time, and tries it under a new request id', async () => {
    const failing = order(() => Promise.resolve(task('failed')));
    const rests: number[] = [];
    for (let i = 0; i < 9; i++) {
      expect(commander.give(failing)).to.equal(undefined);
      await settle();
      const until = commander.give(failing)!;
      rests.push(until - clock.now());
      await clock.advance(until - clock.now());
    }
    expect(rests).to.deep.equal([50, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    expect(new Set(requests).size).to.equal(9);
    expect(commander.troubles(granted.epoch)).to.deep.equal(['instance 1001: promote: EngineFailed: it did not start']);
  });

  it('tells the code of a refusal, and forgets the trouble when the order is done', async () => {
    const answers = [() => Promise.reject(new AgentError('NoRight', 'no')), () => Promise.resolve(undefined)];
    const twice = order(() => answers.shift()!());
    commander.give(twice);
    await settle();
    expect(commander.outcomes[0]).to.include({ state: 'failed', code: 'NoRight' });
    await clock.advance(50);
    commander.give(twice);
    await settle();
    expect(commander.outcomes[0]).to.deep.equal({ key: 'k', state: 'done', endedAt: 50 });
    expect(commander.troubles(granted.epoch)).to.deep.equal([]);
  });

  for (const [code, expected] of [
    ['NoRight', [0, 1, 2]],
    ['StaleCommand', [0, 1, 2]],
    ['Busy', [0, 0, 0]],
  ] as const) {
    it(`${code} again and again ${expected[1] ? 'casts' : 'casts no'} doubt on the record`, async () => {
      const refused = order(() => Promise.reject(new AgentError(code, 'no')));
      const seen: number[] = [];
      for (let i = 0; i < 3; i++) {
        commander.give(refused);
        await clock.advance(1_000);
        seen.push(disobeyed);
      }
      expect(seen).to.deep.equal(expected);
    });
  }

  it('sends what is done again, but ever more seldom', async () => {
    const done = order(() => Promise.resolve(undefined));
    commander.give(done);
    await settle();
    expect(commander.give(done)).to.equal(300);
    await clock.advance(300);
    commander.give(done);
    await settle();
    expect(commander.give(done)).to.equal(900);
  });

  it('keeps orders apart and forgets the oldest that ended', async () => {
    for (let i = 0; i < 100; i++) commander.give(order(() => Promise.resolve(undefined), `k${i}`));
    await settle();
    for (let i = 100; i < 140; i++) commander.give(order(() => Promise.resolve(undefined), `k${i}`));
    await settle();
    expect(commander.outcomes.at(-1)?.key).to.equal('k139');
    expect(commander.outcomes.length).to.be.at.most(100);
  });

  it('calls all off when the right to command is gone', async () => {
    let aborted = false;
    commander.give(
      order(
        (_command, signal) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              aborted = true;
              reject(new Error('aborted'));
            });
          }),
      ),
    );
    commander.reset();
    await settle();
    expect([aborted, ended, commander.outcomes]).to.deep.equal([true, 0, []]);
  });
});
