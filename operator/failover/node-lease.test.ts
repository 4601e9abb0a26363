import { expect } from 'chai';
import type { KubeClient } from '../kube/client.ts';
import { FakeClock } from '../kube/testing/fake-clock.ts';
import { NodeLease } from './node-lease.ts';
import { granted, revoked } from './testing/samples.ts';

/** Timers of a busy process fire a little before their time by its own clock. */
class EarlyClock extends FakeClock {
  override after(ms: number, fn: () => void): () => void {
    return super.after(ms - 0.5, fn);
  }
}

describe('Lease of the node of a former RW', () => {
  let clock: FakeClock;
  let reads: number;
  let lease: NodeLease;
  const client: Pick<KubeClient, 'get'> = {
    get: () => {
      reads++;
      return Promise.resolve({ metadata: { name: 'node-1', resourceVersion: '7' } } as never);
    },
  };

  beforeEach(() => {
    clock = new EarlyClock();
    reads = 0;
    lease = new NodeLease({ client, clock, news: () => lease.follow(revoked) });
  });

  it('is read again and again while proof is missing, though nothing else happens', async () => {
    lease.follow(revoked);
    await clock.advance(5_000);
    expect(reads).to.be.within(9, 11);
    expect(lease.current).to.deep.equal({ name: 'node-1', version: '7' });
  });

  it('is not read without need', async () => {
    lease.follow(granted);
    await clock.advance(5_000);
    expect([reads, lease.current]).to.deep.equal([0, undefined]);
  });

  it('is read no more once nobody has to be proven', async () => {
    lease = new NodeLease({ client, clock, news: () => lease.follow(granted) });
    lease.follow(revoked);
    await clock.advance(5_000);
    expect([reads, lease.current]).to.deep.equal([1, undefined]);
  });
});
