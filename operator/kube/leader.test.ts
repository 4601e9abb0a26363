import { expect } from 'chai';
import { sleep } from './clock.ts';
import { KubeError } from './errors.ts';
import { LeaderElector, type LeaderOptions } from './leader.ts';
import type { Lease } from './resources.ts';
import { FakeClock, settle } from './testing/fake-clock.ts';
import { silentLogger } from './testing/support.ts';

interface Limit {
  timeoutMs: number;
}
const TIMING = { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 };

/** One Lease in memory, with the server's version check, and a link that can fail or hang. */
class LeaseApi {
  lease: Lease | undefined;
  link: 'up' | 'down' | 'hangs' = 'up';
  calls = 0;
  /** Calls that hang, to be let through later. */
  readonly hanging: (() => void)[] = [];
  /** So many calls get no answer; each ends by its own limit. */
  lost = 0;
  readonly #clock: FakeClock;
  #version = 0;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  async pass({ timeoutMs }: Limit): Promise<void> {
    this.calls++;
    if (this.lost > 0) {
      this.lost--;
      await sleep(this.#clock, timeoutMs);
      throw new KubeError({ status: 0, reason: 'Timeout', message: 'lost' });
    }
    if (this.link === 'down') throw new KubeError({ status: 0, reason: 'Network', message: 'down' });
    if (this.link === 'hangs') await new Promise<void>(resolve => this.hanging.push(resolve));
  }

  store(lease: Lease): Lease {
    this.lease = { ...lease, metadata: { ...lease.metadata, resourceVersion: String(++this.#version) } };
    return this.lease;
  }

  readonly client = {
    get: async (_type: unknown, _ref: unknown, options: Limit) => {
      await this.pass(options);
      return this.lease;
    },
    create: async (_type: unknown, lease: Lease, options: Limit) => {
      await this.pass(options);
      if (this.lease) throw new KubeError({ status: 409, reason: 'AlreadyExists', message: '' });
      return this.store(lease);
    },
    replace: async (_type: unknown, lease: Lease, options: Limit) => {
      await this.pass(options);
      if (lease.metadata.resourceVersion !== this.lease?.metadata.resourceVersion) {
        throw new KubeError({ status: 409, reason: 'Conflict', message: '' });
      }
      return this.store(lease);
    },
  } as unknown as LeaderOptions['client'];
}

describe('leader election', () => {
  let clock: FakeClock;
  let api: LeaseApi;
  let heard: string[];
  const electors: LeaderElector[] = [];

  function candidate(identity: string, itsApi = api): LeaderElector {
    const elector = new LeaderElector({
      client: itsApi.client,
      lease: { namespace: 'ns', name: 'operator' },
      identity,
      onStarted: () => heard.push(`${identity} leads`),
      onLost: () => heard.push(`${identity} lost`),
      log: silentLogger,
      timing: TIMING,
      clock,
      random: () => 0,
    });
    electors.push(elector);
    elector.start();
    return elector;
  }

  beforeEach(() => {
    clock = new FakeClock();
    api = new LeaseApi(clock);
    heard = [];
  });
  afterEach(async () => {
    api.link = 'down';
    for (const release of api.hanging) release();
    await Promise.all(electors.splice(0).map(elector => elector.stop()));
  });

  it('the first one leads at once, the second waits', async () => {
    candidate('a');
    await settle();
    candidate('b');
    await clock.advance(60_000);
    expect(heard).to.deep.equal(['a leads']);
    expect(api.lease?.spec?.leaseTransitions).to.equal(0);
    expect(api.lease?.spec?.renewTime).to.match(/\.\d{6}Z$/);
  });

  it('a leader renews with one call and no read', async () => {
    candidate('a');
    await settle();
    api.calls = 0;
    await clock.advance(20_000);
    expect(api.calls).to.equal(10);
  });

  it('hands over at once on shutdown', async () => {
    const a = candidate('a');
    await settle();
    candidate('b');
    await a.stop();
    expect(api.lease?.spec?.holderIdentity).to.equal('');
    await clock.advance(2_000);
    expect(heard).to.deep.equal(['a leads', 'b leads']);
    expect(api.lease?.spec?.leaseTransitions).to.equal(1);
  });

  it('a dead leader is followed when its lease was seen unchanged for its whole duration, not before', async () => {
    api.store({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { namespace: 'ns', name: 'operator' },
      // Its clock was years ahead: that must not matter.
      spec: { holderIdentity: 'dead', leaseDurationSeconds: 15, renewTime: '2036-01-01T00:00:00.000000Z' },
    });
    candidate('b');
    await clock.advance(14_900);
    expect(heard).to.deep.equal([]);
    await clock.advance(2_000);
    expect(heard).to.deep.equal(['b leads']);
  });

  for (const link of ['down', 'hangs'] as const) {
    it(`stops leading at the renew deadline when the link ${link}, before another can lead`, async () => {
      const mine = new LeaseApi(clock);
      // Two links to one lease.
      Object.defineProperty(mine, 'lease', { get: () => api.lease, set: (lease: Lease) => void (api.lease = lease) });
      mine.store = lease => api.store(lease);
      const a = candidate('a', mine);
      await settle();
      candidate('b');
      await clock.advance(1_000);
      mine.link = link;
      await clock.advance(8_900);
      expect(a.isLeader).to.equal(true);
      await clock.advance(200);
      expect(a.isLeader).to.equal(false);
      expect(heard).to.deep.equal(['a leads', 'a lost']);
      await clock.advance(10_000);
      expect(heard).to.deep.equal(['a leads', 'a lost', 'b leads']);
      mine.link = 'up';
      for (const release of mine.hanging) release();
      await clock.advance(10_000);
      expect(heard).to.deep.equal(['a leads', 'a lost', 'b leads']);
    });
  }

  for (const [what, lost, expected] of [
    ['one lost request does not cost the lead', 1, ['a leads']],
    ['two in a row do', 2, ['a leads', 'a lost', 'a leads']],
  ] as const) {
    it(what, async () => {
      candidate('a');
      await settle();
      await clock.advance(3_000);
      api.lost = lost;
      await clock.advance(60_000);
      expect(heard).to.deep.equal(expected);
    });
  }

  it('leads again when the link comes back and nobody took over', async () => {
    candidate('a');
    await settle();
    api.link = 'down';
    await clock.advance(12_000);
    api.link = 'up';
    await clock.advance(2_000);
    expect(heard).to.deep.equal(['a leads', 'a lost', 'a leads']);
  });

  it('an answer later than the deadline gives no leadership by itself', async () => {
    candidate('a');
    await settle();
    api.link = 'hangs';
    await clock.advance(14_000);
    api.link = 'down';
    for (const release of api.hanging.splice(0)) release();
    await clock.advance(1_000);
    expect(heard).to.deep.equal(['a leads', 'a lost']);
  });

  it('loses at once to one who holds the lease', async () => {
    candidate('a');
    await settle();
    api.store({ ...api.lease!, spec: { ...api.lease!.spec, holderIdentity: 'usurper' } });
    await clock.advance(2_000);
    expect(heard).to.deep.equal(['a leads', 'a lost']);
  });

  it('takes a failing release lightly', async () => {
    const a = candidate('a');
    await settle();
    api.link = 'down';
    await a.stop();
    expect(a.isLeader).to.equal(false);
  });
});
