import { expect } from 'chai';
import { FakeClock } from '../kube/testing/fake-clock.ts';
import { HostFacts } from './facts.ts';

const ports = (...used: number[]) => ({ used, ranges: [], ephemeral: [] });

describe('HostFacts', () => {
  it('has each fact with its age, the newest of each', async () => {
    const clock = new FakeClock();
    const facts = new HostFacts(clock);
    facts.publish('ports', ports(5432));
    await clock.advance(2_000);
    facts.publish('versions', { existing: ['a'], missing: {} });
    facts.publish('ports', ports(5433));
    await clock.advance(1_000);
    const at = new Date(Date.UTC(2026, 0, 1) + 2_000);
    expect(facts.all()).to.deep.equal({
      ports: { fact: ports(5433), at, ageMs: 1_000 },
      versions: { fact: { existing: ['a'], missing: {} }, at, ageMs: 1_000 },
    });
    expect(facts.get('volumes')).to.equal(undefined);
  });
});
