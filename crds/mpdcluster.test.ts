import { expect } from 'chai';
import {
  clusterProblems,
  engineOf,
  parseCluster,
  targetClass,
  targetVersion,
  type MPDClusterSpec,
} from './mpdcluster.ts';
import type { ObjectMeta } from './object.ts';
import { ACCEPTED, LOCAL, NAMES, ORIGINAL_SAMPLE, ORIGINAL_STATUS, REFUSED } from './testing/cluster-cases.ts';

const metadata = { name: 'orders', namespace: 'shop' } as ObjectMeta;

const specOf = (spec: unknown): MPDClusterSpec => parseCluster({ metadata, spec }).value!.spec;

describe('MPDCluster', () => {
  for (const [what, spec] of ACCEPTED) {
    it(`accepts ${what}`, () => expect(clusterProblems({ metadata, spec })).to.deep.equal([]));
  }

  for (const [what, field, spec] of REFUSED) {
    it(`refuses ${what}`, () =>
      expect(parseCluster({ metadata, spec }).problems?.map(problem => problem.field)).to.deep.equal([field]));
  }

  for (const [name, accepted] of NAMES) {
    it(`${accepted ? 'accepts' : 'refuses'} the name ${name}`, () =>
      expect(clusterProblems({ metadata: { name }, spec: LOCAL })).to.have.length(accepted ? 0 : 1));
  }

  it('fills in what is left out', () => {
    expect(specOf(LOCAL)).to.deep.equal({
      ...LOCAL,
      operatorName: 'polar-mpd',
      dbClusterType: 'local',
      dbType: 'polardb',
      followerNum: 2,
      initDatabase: { name: 'app', owner: 'app' },
      ha: {
        durability: 'preferred',
        unfencedFailover: 'never',
        ttlMs: 3000,
        marginMs: 500,
        beatMs: 500,
        silentMs: 1500,
        quorumWaitMs: 300,
        coldStartMs: 30_000,
        memberLostMs: 3000,
        catchUpMs: 10_000,
        stopMs: 2000,
        withdrawMs: 10_000,
      },
      stopped: false,
      terminationPolicy: 'Retain',
      deletionProtection: false,
    });
  });

  it('tells every mistake at once', () => {
    const spec = { ...LOCAL, dbType: 'mysql', followerNum: -1 };
    expect(parseCluster({ metadata, spec }).problems?.map(({ field }) => field)).to.deep.equal([
      'spec.dbType',
      'spec.followerNum',
    ]);
  });

  it('reads the status of a cluster of the original', () => {
    const parsed = parseCluster({ metadata, spec: ORIGINAL_SAMPLE, status: ORIGINAL_STATUS });
    expect(parsed.value?.status).to.deep.equal(ORIGINAL_STATUS);
  });

  it('says where a status is broken', () => {
    const { problems } = parseCluster({ metadata, spec: LOCAL, status: { clusterStatus: 'Dancing' } });
    expect(problems?.map(({ field }) => field)).to.deep.equal(['status.clusterStatus']);
  });
});

describe('what a cluster asks for', () => {
  for (const [what, modifyTo, wanted] of [
    ['the class', undefined, 'x4.small'],
    ['the class, the other being empty', { className: '' }, 'x4.small'],
    ['the class that it is to change to', { className: 'x4.large' }, 'x4.large'],
  ] as const) {
    it(what, () => expect(targetClass(specOf({ ...LOCAL, classInfoModifyTo: modifyTo }))).to.equal(wanted));
  }

  for (const [what, fields, wanted] of [
    ['the latest version', {}, {}],
    ['the version', { versionCfg: { versionName: 'a' }, versionCfgModifyTo: {} }, { versionName: 'a' }],
    [
      'the version to upgrade to',
      { versionCfg: { versionName: 'a' }, versionCfgModifyTo: { versionName: 'b' } },
      { versionName: 'b' },
    ],
    ['an image', { versionCfg: { engineImage: 'i' } }, { engineImage: 'i' }],
  ] as const) {
    it(what, () => expect(targetVersion(specOf({ ...LOCAL, ...fields }))).to.deep.equal(wanted));
  }

  for (const [dbType, engine] of [
    ['polardb', 'polardb'],
    ['polar-o', 'polardb'],
    ['postgresql', 'postgresql'],
  ] as const) {
    it(`engine of ${dbType}`, () => expect(engineOf(specOf({ ...LOCAL, dbType }))).to.equal(engine));
  }
});
