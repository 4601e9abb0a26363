import { expect } from 'chai';
import fc from 'fast-check';
import { IDLE, supervise, type Effect, type Supervised, type SupervisorEvent } from './supervise.ts';

const limits = { stopFastMs: 30, stopImmediateMs: 5, startMs: 100, quietMs: 60, backoffMs: [0, 10, 20] };
const step = (state: Supervised, event: SupervisorEvent) => supervise(state, event, 0, limits);
const run = (events: SupervisorEvent[], from: Supervised = IDLE): { state: Supervised; effects: Effect[] } =>
  events.reduce(({ state }, event) => step(state, event), { state: from, effects: [] as Effect[] });

const launched = { type: 'launched', pid: 7 } as const;
const exited = { type: 'exited', code: 1 } as const;
const start = { type: 'start' } as const;
const stop = (mode: 'fast' | 'immediate' | 'kill') => ({ type: 'stop', mode }) as const;
const cleaned = { type: 'cleaned', hold: false } as const;
const held = { type: 'cleaned', hold: true } as const;
const release = { type: 'release' } as const;
const timer = { type: 'timer' } as const;
const running: SupervisorEvent[] = [start, launched, { type: 'ready' }];

describe('life of an engine process', () => {
  for (const [what, events, phase, effects] of [
    ['a start writes configuration first', [start], 'launching', ['timer', 'launch']],
    ['a second start changes nothing', [start, start], 'launching', []],
    ['a spawned engine is waited for', [start, launched], 'starting', ['timer', 'awaitReady']],
    ['an answering engine runs', running, 'running', ['timer']],
    ['a stop begins fast', [...running, stop('fast')], 'stopping', ['signal', 'timer']],
    ['then immediate', [...running, stop('fast'), timer], 'stopping', ['signal', 'timer']],
    ['then kill', [...running, stop('fast'), timer, timer], 'cleaning', ['timer', 'clean']],
    ['a stronger stop comes at once', [...running, stop('fast'), stop('kill')], 'cleaning', ['timer', 'clean']],
    ['a weaker one does not', [...running, stop('immediate'), stop('fast')], 'stopping', []],
    ['an exit is cleaned up after', [...running, exited], 'cleaning', ['timer', 'clean']],
    ['a crash waits', [...running, exited, cleaned], 'waiting', ['timer']],
    ['and starts again', [...running, exited, cleaned, timer], 'launching', ['timer', 'launch']],
    ['unless somebody else decides', [...running, exited, held], 'holding', []],
    ['who says start', [...running, exited, held, start], 'launching', ['timer', 'launch']],
    ['or stop', [...running, exited, held, stop('fast')], 'idle', ['timer']],
    ['or is gone', [...running, exited, held, release], 'launching', ['timer', 'launch']],
    ['which is nothing to others', [...running, exited, cleaned, release], 'waiting', []],
    ['a wanted end is the end, whoever decides', [...running, stop('fast'), exited, held], 'idle', []],
    ['a wanted end is the end', [...running, stop('fast'), exited, cleaned], 'idle', []],
    ['a stop ends the waiting', [...running, exited, cleaned, stop('fast')], 'idle', ['timer']],
    [
      'a start while the engine stops is no crash',
      [...running, stop('fast'), start, exited, cleaned],
      'launching',
      ['timer', 'launch'],
    ],
    [
      'nor is it for others to decide',
      [...running, stop('fast'), start, exited, held],
      'launching',
      ['timer', 'launch'],
    ],
    [
      'one that comes right after a crash is heard',
      [...running, exited, start, held],
      'launching',
      ['timer', 'launch'],
    ],
    ['unless a stop follows', [...running, stop('fast'), start, stop('fast'), exited, cleaned], 'idle', []],
    ['a failed launch is a crash', [start, { type: 'launchFailed', message: 'm' }, cleaned], 'waiting', ['timer']],
    [
      'a stop during the launch kills what comes of it',
      [start, stop('fast'), launched],
      'cleaning',
      ['timer', 'clean'],
    ],
    ['an engine that never answers is killed', [start, launched, timer], 'cleaning', ['timer', 'clean']],
  ] as [string, SupervisorEvent[], string, string[]][]) {
    it(what, () => {
      const { state, effects: last } = run(events);
      expect(state.phase).to.equal(phase);
      expect(last.map(({ type }) => type)).to.deep.equal(effects);
    });
  }

  it('waits longer with each failure in a row', () => {
    const crash: SupervisorEvent[] = [launched, exited, cleaned];
    const waits = [1, 2, 3, 4].map(n => {
      const events = Array.from({ length: n }, () => [...crash, timer])
        .flat()
        .slice(0, -1);
      return run([start, ...events]).effects[0];
    });
    expect(waits.map(it => it?.type === 'timer' && it.ms)).to.deep.equal([0, 10, 20, 20]);
  });

  it('forgets failures after a quiet while', () => {
    expect(run([start, launched, exited, cleaned, timer, launched, { type: 'ready' }, timer]).state.failures).to.equal(
      0,
    );
  });

  it('tells a crash from a wanted end', () => {
    expect(run([...running, exited]).state.exit?.wanted).to.equal(false);
    expect(run([...running, stop('fast'), exited]).state.exit?.wanted).to.equal(true);
    expect(run([...running, stop('fast'), start, exited]).state.exit?.wanted).to.equal(true);
  });

  it('never starts an engine beside another, and every stop ends in proof', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('start', 'fast', 'kill', 'next', 'timer', 'exit', 'decide', 'release'), {
          maxLength: 60,
        }),
        words => {
          const world = new World();
          for (const word of words) world.act(word);
          world.send(stop('kill'));
          for (let i = 0; i < 4; i++) world.act('next');
          expect(world.state.phase).to.equal('idle');
          expect(world.engineAlive).to.equal(false);
        },
      ),
    );
  });
});

/** Does effects as the real supervisor does, in any order that the real one could show. */
class World {
  state: Supervised = IDLE;
  engineAlive = false;
  #isDecided = false;
  #pending: Effect | undefined;

  send(event: SupervisorEvent): void {
    const { state, effects } = step(this.state, event);
    this.state = state;
    for (const effect of effects) {
      if (effect.type === 'launch') expect(this.engineAlive, 'two engines').to.equal(false);
      if (['launch', 'clean', 'awaitReady'].includes(effect.type)) this.#pending = effect;
    }
  }

  act(word: 'start' | 'fast' | 'kill' | 'next' | 'timer' | 'exit' | 'decide' | 'release'): void {
    if (word === 'start') this.send(start);
    else if (word === 'next') this.#finish();
    else if (word === 'timer') this.send(timer);
    else if (word === 'exit') this.#exit();
    else if (word === 'decide') this.#isDecided = !this.#isDecided;
    else if (word === 'release') this.send(release);
    else this.send(stop(word));
  }

  #finish(): void {
    const done = this.#pending?.type;
    this.#pending = undefined;
    if (done === 'launch') {
      this.engineAlive = true;
      this.send(launched);
    } else if (done === 'clean') {
      this.engineAlive = false;
      this.send(this.#isDecided ? held : cleaned);
    } else if (done === 'awaitReady') this.send({ type: 'ready' });
  }

  #exit(): void {
    if (!this.engineAlive || this.state.pid === undefined) return;
    // Its backends live on: only `clean` makes sure.
    this.send(exited);
  }
}
