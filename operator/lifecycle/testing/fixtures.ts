import {
  parseCluster,
  type MPDCluster,
  type MPDClusterSpecInput,
  type MPDClusterStatus,
} from '../../../crds/mpdcluster.ts';
import type { SiteSettings } from '../../settings/types.ts';
import { podName } from '../../model/names.ts';
import { POD_NETWORK_PORTS } from '../../model/ports.ts';
import type { ClusterPlan } from '../plan.ts';
import type { ClusterInstance } from '../../kinds/instances.ts';

/** A cluster as the API server would give it. */
export function clusterOf(spec: MPDClusterSpecInput, status: MPDClusterStatus = {}): MPDCluster {
  const metadata = {
    name: 'orders',
    namespace: 'shop',
    uid: '7a1c5a3e-0000-4000-8000-000000000001',
    resourceVersion: '1',
    generation: 3,
    creationTimestamp: '2026-01-01T00:00:00Z',
  };
  const parsed = parseCluster({ metadata, spec, status });
  if (parsed.problems) throw new Error('a fixture is not right', { cause: parsed.problems });
  return parsed.value;
}

export const localSpec: MPDClusterSpecInput = {
  dbType: 'postgresql',
  dbClusterType: 'local',
  followerNum: 2,
  classInfo: { className: 'small' },
  storage: { size: '10Gi' },
};

/** A site with one class and one version of each engine. */
export function siteOf(): SiteSettings {
  const item = (name: string, defaultValue: string, dynamic: boolean) =>
    [name, { name, defaultValue, dynamic, visible: true, changeable: true, kind: 'STRING' }] as const;
  return {
    network: { clientCard: 'bond1', internalCard: 'bond1' },
    controller: {
      hybridDeployment: true,
      cmHybridDeployment: true,
      canUpdateNotChangeableParams: false,
      enableOnlinePromote: false,
      enableRedline: true,
      sshUser: 'root',
      controllerNodeLabel: 'node-role.kubernetes.io/control-plane',
    },
    ports: { engine: { first: 5400, last: 5800 }, external: { first: 36_000, last: 36_010 }, reserved: [] },
    systemResources: { shared: true, single: {}, readWriteMany: {} },
    classes: new Map([
      [
        'small',
        {
          name: 'small',
          displayName: 'small',
          cpu: { requestMillis: 250, limitMillis: 1000 },
          memory: { requestMi: 256, limitMi: 512 },
          hugepagesMi: 0,
          storage: {},
          containers: {},
          parameters: { shared_buffers: '64MB' },
        },
      ],
    ]),
    versions: new Map([
      [
        'pg15',
        {
          name: 'pg15',
          engine: 'postgresql',
          engineImage: 'postgresql:15',
          runAs: { user: 999, group: 999 },
          otherImages: {},
        },
      ],
      ['polar11', { name: 'polar11', engine: 'polardb', engineImage: 'polardb/engine:11.9.2021', otherImages: {} }],
    ]),
    defaultVersions: { postgresql: 'pg15', polardb: 'polar11' },
    templates: {
      postgresql: { engine: 'postgresql', items: new Map([item('work_mem', '4MB', true)]) },
      polardb: { engine: 'polardb', items: new Map([item('work_mem', '4MB', true)]) },
    },
    problems: [],
  };
}

export function instanceOf(id: string, role: ClusterInstance['role']): ClusterInstance {
  const physicalId = String(Number(id) - 1);
  return { id, physicalId, role, ports: { ...POD_NETWORK_PORTS }, podName: podName('orders', physicalId, id) };
}

export function planOf(change: Partial<ClusterPlan> = {}): ClusterPlan {
  return {
    namespace: 'shop',
    name: 'orders',
    uid: '7a1c5a3e-0000-4000-8000-000000000001',
    logicId: '1000',
    engine: 'postgresql',
    topology: 'local',
    images: { stack: 'stack:1', engine: 'postgresql:15', versionName: 'pg15', pullPolicy: 'IfNotPresent' },
    runAs: { user: 999, group: 999 },
    hostNetwork: false,
    resources: { limits: { cpu: '1', memory: '512Mi' }, requests: { cpu: '250m', memory: '256Mi' } },
    settings: { shared_buffers: '64MB', work_mem: '4MB' },
    volume: { kind: 'own', size: '10Gi' },
    application: { database: 'app', owner: 'app' },
    terminationPolicy: 'Retain',
    instances: [instanceOf('1002', 'rw'), instanceOf('1004', 'ro')],
    ...change,
  };
}
