import { expect } from 'chai';
import { join } from 'node:path';
import { findHelpers, HELPERS } from './testing/helpers.ts';
import { eventually, runInside, type Inside } from './testing/namespace.ts';

const PROGRAM = join(import.meta.dirname, 'testing', 'guarded.ts');

/** Sessions of the stand-in engine that are alive. */
const sessions = (inside: Inside): number => inside.members().filter(it => it.command.startsWith('sleep')).length;
const agentOf = (inside: Inside): number => inside.members().find(it => it.command.includes('guarded.ts'))!.pid;

describe('guard (real processes)', () => {
  let inside: Inside;
  before(findHelpers);
  beforeEach(async () => {
    inside = runInside(PROGRAM, [HELPERS.busybox]);
    await inside.line(/^up$/);
    inside.send('engine 3');
    await inside.line(/^engine 3$/);
  });
  afterEach(async () => {
    inside.kill();
    await inside.ended;
  });

  it('kills every session when the right ends, and spares agent, guard and PID 1', async () => {
    inside.send('within 200');
    await eventually('sessions are gone', () => sessions(inside) === 0);
    inside.send('count');
    await inside.line(/^count 0$/);
    expect(inside.members()).to.have.length(3);
  });

  it('keeps what runs while the right is renewed, or has no end, or there is none', async () => {
    for (const order of ['within 150', 'within 5000', 'within 100', 'unbounded', 'within 100', 'none'])
      inside.send(order);
    inside.send('within 60000');
    const began = Date.now();
    await eventually('half a second', () => Date.now() - began > 500);
    expect(sessions(inside)).to.equal(3);
  });

  it('kills for an agent that is frozen', async () => {
    const agent = agentOf(inside);
    inside.send('within 300');
    inside.send('guard');
    await inside.line(/^guard/);
    process.kill(agent, 'SIGSTOP');
    await eventually('sessions are gone', () => sessions(inside) === 0);
    process.kill(agent, 'SIGCONT');
    inside.send('count');
    await inside.line(/^count 0$/);
  });

  it('does not kill for a frozen agent whose right has no end', async () => {
    const agent = agentOf(inside);
    inside.send('unbounded');
    inside.send('guard');
    await inside.line(/^guard/);
    process.kill(agent, 'SIGSTOP');
    const began = Date.now();
    await eventually('half a second', () => Date.now() - began > 500);
    expect(sessions(inside)).to.equal(3);
    process.kill(agent, 'SIGCONT');
  });

  it('is replaced when it dies, and its successor knows the end of the right', async () => {
    inside.send('within 700');
    inside.send('killguard');
    inside.send('engine 2');
    await inside.line(/^engine 5$/);
    await eventually('sessions are gone', () => sessions(inside) === 0);
    inside.send('guard');
    expect(await inside.line(/^guard/)).to.match(/[1-9]/);
  });

  it('is replaced when it answers nothing, and its successor knows the end of the right', async () => {
    inside.send('guard');
    const former = await inside.line(/^guard/);
    inside.send('stopguard');
    inside.send('within 300');
    inside.send('heard');
    await inside.line(/^heard$/);
    await eventually('sessions are gone', () => sessions(inside) === 0);
    inside.send('guard');
    expect(await inside.line(/^guard/)).to.not.equal(former);
  });

  it('goes on killing what starts after the end of the right until it is told otherwise', async () => {
    inside.send('within 50');
    await eventually('sessions are gone', () => sessions(inside) === 0);
    inside.send('engine 2');
    await inside.line(/^engine/);
    await eventually('later sessions are gone', () => sessions(inside) === 0);
    inside.send('none');
    // It may be killing by the order before until then, as an agent knows.
    inside.send('heard');
    await inside.line(/^heard$/);
    inside.send('engine 2');
    await inside.line(/^engine 2$/);
    const began = Date.now();
    await eventually('a while', () => Date.now() - began > 200);
    expect(sessions(inside)).to.equal(2);
  });

  it('nothing survives the agent', async () => {
    inside.send('die');
    await inside.ended;
    expect(inside.members()).to.deep.equal([]);
  });
});

/** A PID 1 that stays when the agent ends, to see what the guard does by itself. */
const STAYING = [HELPERS.busybox, 'sh', '-c', 'exec 3<&0; "$@" <&3 & wait; exec tail -f /dev/null', 'init'];

describe('guard whose agent ended under a PID 1 that stays', () => {
  it('kills what is left', async () => {
    const inside = runInside(PROGRAM, [HELPERS.busybox], STAYING);
    try {
      await inside.line(/^up$/);
      inside.send('engine 3');
      await inside.line(/^engine 3$/);
      inside.send('unbounded');
      inside.send('die');
      await eventually('sessions are gone', () => sessions(inside) === 0);
      await eventually('PID 1 goes on', () => inside.members().some(({ command }) => command.startsWith('tail ')));
    } finally {
      inside.kill();
    }
  });
});

describe('guard that cannot be started', () => {
  it('stops the agent from starting', async () => {
    const inside = runInside(PROGRAM, ['/nonexistent/busybox']);
    expect(await inside.ended).to.not.equal(0);
  });
});
