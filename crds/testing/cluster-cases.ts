import type { MPDClusterSpecInput } from '../mpdcluster.ts';

/** What is accepted and refused, for the parser and for a real API server alike. */

/** Sample of the original (facts: sample CR), unchanged. */
export const ORIGINAL_SAMPLE = {
  operatorName: 'polar-mpd',
  dbClusterType: 'share',
  followerNum: 2,
  classInfo: { className: 'polar.o.x4.medium', cpu: '2000m', memory: '17Gi' },
  classInfoModifyTo: { className: '' },
  versionCfg: { versionName: 'image-open' },
  netCfg: { engineStartPort: 5790 },
  shareStore: {
    drive: 'pvc',
    sharePvcNamespace: 'default',
    sharePvcName: 'pvc-32ze34dwj8kypf9y1',
    diskQuota: '300000',
    volumeId: '32ze34dwj8kypf9y1',
    volumeType: 'multipath',
  },
} satisfies MPDClusterSpecInput;

/** Status of a cluster of the original, with the empty structs that Go never omits. */
export const ORIGINAL_STATUS = {
  clusterStatus: 'Running',
  insClassInfo: { className: '' },
  leaderInstanceId: '1002',
  leaderInstanceHost: 'dbm-01',
  logicId: '1000',
  clusterManagerStatus: { workingPort: 36001 },
  proxyStatus: {},
  dbInstanceStatus: {
    '1002': {
      physicalInsId: '1001',
      insId: '1002',
      insName: '1002',
      podName: 'orders-1001-1002',
      podNameSpace: 'default',
      nodeName: 'dbm-01',
      hostClientIP: '10.0.0.1',
      polarFsHostId: '5',
      installed: true,
      insType: 'rw',
      versionInfo: {},
      insClassInfo: { className: '' },
      netInfo: { workingPort: 5790, workingHostIP: '10.0.0.1' },
      currentState: { state: 'RUNNING', reason: 'ok', startAt: '2021-10-19T15:52:39Z' },
      lastState: {},
    },
  },
};

export const LOCAL = {
  classInfo: { className: 'x4.small' },
  storage: { size: '20Gi' },
} satisfies MPDClusterSpecInput;

/** As the original's Go client writes a cluster back: structs are never omitted, so they stand there empty. */
const writtenByGo = {
  ...ORIGINAL_SAMPLE,
  dbProxyInfo: { enabled: false, name: '', resourceType: '', consistencyLevel: 0 },
  resourceAdditional: { pfsd: { cpu_cores: '500m', limit_memory: '1Gi', config: '-w 8 -s 20 -i 8192 -f' } },
  versionCfg: {
    versionName: 'image-open',
    engineImage: 'e',
    managerImage: 'm',
    clusterManagerImage: 'c',
    pfsdImage: 'p',
  },
  versionCfgModifyTo: {},
};

export const ACCEPTED: readonly (readonly [string, unknown])[] = [
  ['the sample of the original', ORIGINAL_SAMPLE],
  ['a cluster as the original wrote it back', writtenByGo],
  ['class and storage alone', LOCAL],
  ['a single instance', { ...LOCAL, followerNum: 0 }],
  ['stock PostgreSQL', { ...LOCAL, dbType: 'postgresql' }],
  ['the engine name of the original', { ...LOCAL, dbType: 'polar-o' }],
  ['quantities as numbers', { ...LOCAL, storage: { size: 21_474_836_480 } }],
  ['a class change as in the original', { ...LOCAL, classInfoModifyTo: { className: 'x4.large' } }],
  ['an upgrade as in the original', { ...LOCAL, versionCfgModifyTo: { versionName: '15-9' } }],
  ['a version by image', { ...LOCAL, versionCfg: { engineImage: 'registry.example/postgresql:15' } }],
  ['network fields without effect', { ...LOCAL, netCfg: { portStep: -1, proxyStartPort: 15400, proxyNetIF: 'bond1' } }],
  ['the host network by name', { ...LOCAL, netCfg: { netType: 'host', engineStartPort: 5400 } }],
  ['an empty floating address', { ...LOCAL, netCfg: { leaderFloatingIP: { ipMode: 'VirtualIF' } } }],
  [
    'resources',
    { ...LOCAL, resources: { requests: { cpu: '250m', memory: '1Gi' }, limits: { cpu: 1, memory: '1024Mi' } } },
  ],
  ['requests without limits', { ...LOCAL, resources: { requests: { cpu: 2 }, limits: { memory: '1Gi' } } }],
  ['a database of another name', { ...LOCAL, initDatabase: { name: 'orders', owner: 'shop' } }],
  [
    'tuned high availability',
    { ...LOCAL, ha: { durability: 'preferred', unfencedFailover: 'afterExpiry', ttlMs: 2500 } },
  ],
  ['the fastest beats', { ...LOCAL, ha: { ttlMs: 2500, beatMs: 400, silentMs: 1200 } }],
  ['the longest right', { ...LOCAL, ha: { ttlMs: 60_000, marginMs: 1500 } }],
];

/** The field that is to blame, and what is refused. */
export const REFUSED: readonly (readonly [string, string, unknown])[] = [
  ['no class', 'spec.classInfo', { storage: { size: '1Gi' } }],
  ['an empty class', 'spec.classInfo.className', { ...LOCAL, classInfo: { className: '' } }],
  ['another cluster type', 'spec.dbClusterType', { ...LOCAL, dbClusterType: 'shared' }],
  ['another engine', 'spec.dbType', { ...LOCAL, dbType: 'mysql' }],
  ['too many followers', 'spec.followerNum', { ...LOCAL, followerNum: 21 }],
  ['fewer than no followers', 'spec.followerNum', { ...LOCAL, followerNum: -1 }],
  ['share without a volume', 'spec.shareStore', { dbClusterType: 'share', classInfo: LOCAL.classInfo }],
  ['share without a claim', 'spec.shareStore.sharePvcName', { ...ORIGINAL_SAMPLE, shareStore: { drive: 'pvc' } }],
  [
    'a volume by WWID',
    'spec.shareStore.drive',
    { ...ORIGINAL_SAMPLE, shareStore: { drive: 'wwid', sharePvcName: 'a' } },
  ],
  ['share with storage', 'spec.storage', { ...ORIGINAL_SAMPLE, storage: { size: '1Gi' } }],
  ['local without storage', 'spec.storage', { classInfo: LOCAL.classInfo }],
  ['local with a shared volume', 'spec.shareStore', { ...LOCAL, shareStore: { sharePvcName: 'a' } }],
  ['a volume of the original local mode', 'spec.localVolName', { ...LOCAL, localVolName: 'lv-1' }],
  ['a size that is none', 'spec.storage.size', { ...LOCAL, storage: { size: '20 GB' } }],
  ['a size of nothing', 'spec.storage.size', { ...LOCAL, storage: { size: 0 } }],
  ['a negative size', 'spec.storage.size', { ...LOCAL, storage: { size: '-1Gi' } }],
  ['a CPU request above the limit', 'spec.resources.requests.cpu', withResources({ cpu: '1500m' }, { cpu: 1 })],
  [
    'a memory request above the limit',
    'spec.resources.requests.memory',
    withResources({ memory: '2G' }, { memory: '1Gi' }),
  ],
  ['a proxy', 'spec.dbProxyInfo.enabled', { ...LOCAL, dbProxyInfo: { enabled: true } }],
  [
    'a floating address',
    'spec.netCfg.leaderFloatingIP',
    { ...LOCAL, netCfg: { leaderFloatingIP: { ipAddress: '10.0.0.9' } } },
  ],
  ['the host network without a port', 'spec.netCfg.netType', { ...LOCAL, netCfg: { netType: 'host' } }],
  ['a privileged port', 'spec.netCfg.engineStartPort', { ...LOCAL, netCfg: { engineStartPort: 543 } }],
  ['a database of the engine', 'spec.initDatabase.name', { ...LOCAL, initDatabase: { name: 'template1' } }],
  ['an owner of the system', 'spec.initDatabase.owner', { ...LOCAL, initDatabase: { owner: 'replicator' } }],
  [
    'an owner with the prefix of the engine',
    'spec.initDatabase.owner',
    { ...LOCAL, initDatabase: { owner: 'pg_app' } },
  ],
  ['a database name that needs quotes', 'spec.initDatabase.name', { ...LOCAL, initDatabase: { name: 'My App' } }],
  ['another policy', 'spec.terminationPolicy', { ...LOCAL, terminationPolicy: 'WipeOut' }],
  ['silence within one beat', 'spec.ha.silentMs', { ...LOCAL, ha: { silentMs: 900 } }],
  ['a right of two beats', 'spec.ha.ttlMs', { ...LOCAL, ha: { beatMs: 1100, silentMs: 2500 } }],
  ['a margin that drift of clocks eats up', 'spec.ha.marginMs', { ...LOCAL, ha: { ttlMs: 60_000 } }],
  ['a right that ends too soon', 'spec.ha.ttlMs', { ...LOCAL, ha: { ttlMs: 100 } }],
  ['a quota that is no number', 'spec.shareStore.diskQuota', withShareStore({ diskQuota: '300G' })],
];

/** From, to, and the field that is to blame when it is refused. */
export const EDITS: readonly (readonly [string, unknown, unknown, string?])[] = [
  ['cluster type', ORIGINAL_SAMPLE, LOCAL, 'spec.dbClusterType'],
  ['engine', LOCAL, { ...LOCAL, dbType: 'postgresql' }, 'spec.dbType'],
  ['two names of one engine', LOCAL, { ...LOCAL, dbType: 'polar-o' }],
  ['engine port', ORIGINAL_SAMPLE, { ...ORIGINAL_SAMPLE, netCfg: { engineStartPort: 5791 } }, 'spec.netCfg'],
  ['engine port given later', LOCAL, { ...LOCAL, netCfg: { engineStartPort: 5791 } }, 'spec.netCfg'],
  ['engine port taken away', ORIGINAL_SAMPLE, { ...ORIGINAL_SAMPLE, netCfg: undefined }, 'spec.netCfg'],
  ['shared claim', ORIGINAL_SAMPLE, withShareStore({ sharePvcName: 'another' }), 'spec.shareStore.sharePvcName'],
  ['shared volume', ORIGINAL_SAMPLE, withShareStore({ volumeId: 'another' }), 'spec.shareStore.volumeId'],
  ['more quota', ORIGINAL_SAMPLE, withShareStore({ diskQuota: '400000' })],
  ['a greater volume', LOCAL, { ...LOCAL, storage: { size: '30Gi' } }],
  ['the same size in other words', LOCAL, { ...LOCAL, storage: { size: 21_474_836_480 } }],
  ['a smaller volume', LOCAL, { ...LOCAL, storage: { size: '19Gi' } }, 'spec.storage.size'],
  ['storage class', withStorageClass('fast'), withStorageClass('slow'), 'spec.storage.className'],
  ['database', LOCAL, { ...LOCAL, initDatabase: { name: 'other' } }, 'spec.initDatabase.name'],
  ['class', LOCAL, { ...LOCAL, classInfo: { className: 'x4.large' } }],
  ['class, as in the original', LOCAL, withClasses('x4.small', 'x4.large')],
  ['class in both places alike', withClasses('x4.small', 'x4.large'), withClasses('x4.large', 'x4.large')],
  [
    'class while another is asked for',
    withClasses('x4.small', 'x4.large'),
    withClasses('x4.tiny', 'x4.large'),
    'spec.classInfo',
  ],
  ['another class as in the original, later', withClasses('x4.small', 'x4.large'), withClasses('x4.small', 'x4.huge')],
  ['version', LOCAL, { ...LOCAL, versionCfg: { versionName: '15-9' } }],
  ['version while another is asked for', withVersions('15-8', '15-9'), withVersions('15-7', '15-9'), 'spec.versionCfg'],
  ['more followers while a version is asked for', upgrading(2), upgrading(3)],
  ['version in both places alike', withVersions('15-8', '15-9'), withVersions('15-9', '15-9')],
  ['followers', LOCAL, { ...LOCAL, followerNum: 4 }],
  ['protection and policy', LOCAL, { ...LOCAL, deletionProtection: true, terminationPolicy: 'Delete', stopped: true }],
];

/** Names of clusters; the longest accepted one is 40 characters. */
export const NAMES: readonly (readonly [string, boolean])[] = [
  ['orders', true],
  ['mpdcluster-rwo-1', true],
  ['a'.repeat(40), true],
  ['a'.repeat(41), false],
  ['1st', false],
  ['orders.eu', false],
];

function withResources(requests: object, limits: object) {
  return { ...LOCAL, resources: { requests, limits } };
}

function withShareStore(fields: object) {
  return { ...ORIGINAL_SAMPLE, shareStore: { ...ORIGINAL_SAMPLE.shareStore, ...fields } };
}

function withStorageClass(className: string) {
  return { ...LOCAL, storage: { ...LOCAL.storage, className } };
}

function withClasses(className: string, wanted: string) {
  return { ...LOCAL, classInfo: { className }, classInfoModifyTo: { className: wanted } };
}

function upgrading(followerNum: number) {
  return { ...LOCAL, followerNum, versionCfgModifyTo: { versionName: '15-9' } };
}

function withVersions(versionName: string, wanted: string) {
  return { ...LOCAL, versionCfg: { versionName }, versionCfgModifyTo: { versionName: wanted } };
}
