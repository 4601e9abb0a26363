import type { MPDClusterSpecInput } from '../../crds/mpdcluster/spec.ts';

/** Engine and image under test: `npm run test:e2e -- --engine polardb --image NAME` runs the same scenarios on them. */
export type EngineUnderTest = 'postgresql' | 'polardb';

export function engineUnderTest(): EngineUnderTest {
  const { E2E_ENGINE: engine = 'postgresql' } = process.env;
  if (engine === 'postgresql' || engine === 'polardb') return engine;
  throw new Error(`--engine ${engine}: known are postgresql and polardb`);
}

/** Image of the engine under test that a person named; it must be on the nodes, or be one that they can pull. */
export const imageUnderTest = (): string | undefined => process.env.E2E_IMAGE;

const CLASS = 'polar.o.x1.small';

/** A cluster with a volume for each instance, small, whose volumes go with it. */
export function localSpec(followerNum: number, more: Partial<MPDClusterSpecInput> = {}): MPDClusterSpecInput {
  return {
    dbType: engineUnderTest(),
    dbClusterType: 'local',
    followerNum,
    classInfo: { className: CLASS },
    storage: { size: '1Gi' },
    terminationPolicy: 'Delete',
    ...more,
  };
}

/** A cluster over one volume, whose claim has this name. */
export function shareSpec(followerNum: number, sharePvcName: string): MPDClusterSpecInput {
  return {
    dbType: engineUnderTest(),
    dbClusterType: 'share',
    followerNum,
    classInfo: { className: CLASS },
    shareStore: { sharePvcName },
  };
}
