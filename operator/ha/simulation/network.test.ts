import { expect } from 'chai';
import { Network } from './network.ts';
import { HostClock, Process } from './process.ts';
import { Random } from './random.ts';
import { VirtualTime } from './time.ts';

describe('network of the simulation', () => {
  const start = (): { time: VirtualTime; network: Network; receiver: Process } => {
    const time = new VirtualTime();
    return { time, network: new Network(time, new Random(1)), receiver: new Process(time, new HostClock(time, 0, 1)) };
  };

  it('a cut direction loses what is sent, not what comes back or was on its way', () => {
    const { time, network, receiver } = start();
    const seen: string[] = [];
    network.send('a', 'b', receiver, () => seen.push('on its way'));
    network.cut('a', 'b');
    network.send('a', 'b', receiver, () => seen.push('cut'));
    network.send('b', 'a', receiver, () => seen.push('back'));
    time.runUntil(1000);
    expect(seen.sort()).to.deep.equal(['back', 'on its way']);
  });

  it('messages overtake each other, in one channel they do not', () => {
    const { time, network, receiver } = start();
    const free: number[] = [];
    const ordered: number[] = [];
    for (let i = 0; i < 200; i++) {
      network.send('a', 'b', receiver, () => free.push(i));
      network.sendInOrder('channel', ['a', 'b'], receiver, () => ordered.push(i));
    }
    time.runUntil(1000);
    const sorted = Array.from({ length: 200 }, (_, i) => i);
    expect(ordered).to.deep.equal(sorted);
    expect(free).not.to.deep.equal(sorted);
    expect(free.sort((a, b) => a - b)).to.deep.equal(sorted);
  });
});
