import { expect } from 'chai';
import { HostClock, Process } from './process.ts';
import { VirtualTime } from './time.ts';

describe('process of the simulation', () => {
  const start = (
    rate = 1,
  ): { time: VirtualTime; process: Process; seen: string[]; note: (what: string) => () => void } => {
    const time = new VirtualTime();
    const process = new Process(time, new HostClock(time, 1000, rate));
    const seen: string[] = [];
    return { time, process, seen, note: what => () => void seen.push(`${what} ${time.now}`) };
  };

  it('counts time by its own clock', () => {
    const { time, process, seen, note } = start(2);
    process.after(10, note('timer'));
    time.runUntil(20);
    expect(seen).to.deep.equal(['timer 5']);
    expect(process.clock.now).to.equal(1040);
  });

  it('stopped, it does nothing; continued, what waited comes in its order', () => {
    const { time, process, seen, note } = start();
    process.every(10, 10, note('tick'));
    process.stop('one');
    process.stop('other');
    process.run(note('message'));
    time.runUntil(35);
    process.continue('one');
    expect(seen).to.deep.equal([]);
    process.continue('other');
    expect(seen).to.deep.equal(['message 35', 'tick 35']);
    time.runUntil(45);
    expect(seen).to.have.length(3);
  });

  it('dead, it hears nothing any more', () => {
    const { time, process, seen, note } = start();
    process.after(10, note('timer'));
    process.stop('stopped');
    process.run(note('held'));
    process.die();
    process.continue('stopped');
    time.runUntil(20);
    expect(seen).to.deep.equal([]);
  });
});
