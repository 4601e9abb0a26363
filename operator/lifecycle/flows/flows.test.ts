import { RESOURCES, type Pod } from '../../kube/resources.ts';
import type { CrashGate } from '../../workflow/testing/crash-points.ts';
import { expectRunning } from '../testing/expectations.ts';
import { localSpec } from '../testing/fixtures.ts';
import { MemoryWorld } from '../testing/memory-world.ts';

/** Lets something happen right before the first call of this form. */
function once(pattern: RegExp, happen: () => Promise<unknown>): CrashGate {
  let isOver = false;
  const before = async (call: string): Promise<void> => {
    if (isOver || !pattern.test(call)) return;
    isOver = true;
    await happen();
  };
  return { before, signal: new AbortController().signal };
}

async function deletePod(world: MemoryWorld, role: 'rw' | 'ro'): Promise<void> {
  const [id] = Object.entries(world.cluster()?.status?.dbInstanceStatus ?? {}).find(([, it]) => it.insType === role)!;
  const isOf = (name: string): boolean => name.endsWith(`-${id}`);
  const pod = world.outcome.objects.find(({ kind, metadata }) => kind === 'Pod' && isOf(metadata.name)) as Pod;
  await world.client.delete(RESOURCES.pods, pod.metadata);
}

describe('an operation under way', () => {
  for (const [role, pattern] of [
    ['rw', /agent .* account/],
    ['rw', /agent .* database/],
    ['ro', /agent .* account/],
    ['ro', /agent .* state/],
  ] as const) {
    it(`brings a pod back that is deleted meanwhile: ${role} of create, before "${pattern.source}"`, async () => {
      const world = await MemoryWorld.asking({ ...localSpec, followerNum: 1 });
      await world.live(once(pattern, () => deletePod(world, role)));
      expectRunning(world.outcome, 1);
    });
  }

  it('brings the RW back that goes just before members are added', async () => {
    const world = await MemoryWorld.asking({ ...localSpec, followerNum: 1 });
    await world.live();
    await deletePod(world, 'rw');
    await world.edit({ followerNum: 2 });
    await world.live();
    expectRunning(world.outcome, 2);
  });

  it('makes an object again that garbage collection took away with a former cluster of the same name', async () => {
    const world = await MemoryWorld.asking({ ...localSpec, followerNum: 1 });
    const name = { namespace: 'shop', name: 'orders-app' };
    await world.live(once(/create pods/, () => world.client.delete(RESOURCES.secrets, name)));
    expectRunning(world.outcome, 1);
  });
});
