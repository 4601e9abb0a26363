import { expect } from 'chai';
import { expectRunning } from './testing/expectations.ts';
import { localSpec } from './testing/fixtures.ts';
import { MemoryWorld } from './testing/memory-world.ts';

const spec = { ...localSpec, followerNum: 1 };
const condition = (world: MemoryWorld, of: string): string => {
  const { status, reason, message } = world.cluster()?.status?.conditions?.find(({ type }) => type === of) ?? {};
  return `${status} ${reason}: ${message}`;
};

describe('spec that this release does not carry out', () => {
  for (const [change, told] of [
    [{ followerNum: 0 }, 'spec.followerNum: 1 read-only instances stay'],
    [{ classInfo: { className: 'large' } }, 'spec.classInfo: class small stays'],
    [{ versionCfg: { versionName: 'pg16' } }, 'spec.versionCfg: version pg15 stays'],
    [{ storage: { size: '20Gi' } }, 'spec.storage.size: volumes of 10Gi stay'],
  ] as const) {
    it(`is told: ${told}`, async () => {
      const world = await MemoryWorld.asking(spec);
      await world.live();
      expectRunning(world.outcome, 1);
      await world.edit(change);
      await world.live();
      expect(condition(world, 'Accepted'))
        .to.match(/^False Refused: /)
        .and.to.contain(told);
      expect(condition(world, 'Ready'))
        .to.match(/^True AllInstancesReady: /)
        .and.not.to.contain('as spec asks');
      await world.edit(spec);
      await world.edit({ versionCfg: { versionName: '' } });
      await world.live();
      expect(condition(world, 'Accepted')).to.match(/^True SpecAccepted: /);
    });
  }
});
