import type { Site } from './schema.ts';
import { originalClasses, smallClass } from './settings/classes.ts';
import { originalSystemResources } from './settings/system-resources.ts';

/**
 * The one file that a cluster operator edits. Each field is described in schema.ts; a wrong value does not compile, or
 * stops `npm run synth` with the name of the field.
 */
export const site: Site = {
  image: 'polardb-stack:0.1.0',
  imagePullPolicy: 'IfNotPresent',
  imagePullSecrets: [],

  systemNamespace: 'polardb-system',
  settingsNamespace: 'kube-system',
  watchNamespaces: [],

  operator: {
    replicas: 2,
    logLevel: 'info',
    resources: { limits: { memory: '512Mi' }, requests: { cpu: '50m', memory: '128Mi' } },
  },
  clusterManager: {
    replicas: 2,
    logLevel: 'info',
    // Its leadership ends with 2 s without a processor: on a busy host it has to get its share before the engines.
    resources: { limits: { memory: '512Mi' }, requests: { cpu: '500m', memory: '128Mi' } },
  },

  daemon: {
    enabled: true,
    logDirectory: '/disk1/polardb',
    overdueDays: 7,
    criSocket: '/run/containerd/containerd.sock',
    logLevel: 'info',
    resources: { limits: { memory: '256Mi' }, requests: { cpu: '10m', memory: '96Mi' } },
  },

  network: { clientCard: 'auto', internalCard: 'auto' },
  ports: { engine: '5400-5800', external: '36000-39999', reserved: '' },
  controller: {
    hybridDeployment: true,
    cmHybridDeployment: true,
    canUpdateNotChangeableParams: false,
    enableOnlinePromote: false,
    enableRedline: true,
    sshUser: 'root',
    enableSsh: true,
    sshAddress: '127.0.0.1',
    sshPort: 22,
    enablePrintPort: true,
    isCheckOObIP: false,
    logCleanUp: 'apply',
    logSize: '10Gi',
    logDiskPercent: 85,
    prePullImages: false,
    prePullHosts: 2,
    prePullMiBPerSecond: 50,
    controllerNodeLabel: 'node-role.kubernetes.io/control-plane',
  },
  systemResources: originalSystemResources,

  hugePages: false,
  timeZone: 'UTC',

  classes: { ...smallClass, ...originalClasses },

  versions: {
    'image-open': {
      engine: 'polardb',
      engineImage: 'polardb/polardb_pg_binary:15',
      runAs: { user: 1000, group: 1000 },
    },
    'postgresql-15': {
      engine: 'postgresql',
      engineImage: 'postgresql-15:0.1.0',
      runAs: { user: 999, group: 999 },
    },
  },
  defaultVersions: { polardb: 'image-open', postgresql: 'postgresql-15' },
};
