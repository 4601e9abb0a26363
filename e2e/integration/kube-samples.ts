import { RESOURCES, type ResourceType } from '../../operator/kube/resources.ts';
import type { KubeObject, ObjectMeta } from '../../operator/kube/types.ts';

/** Objects with much that a server fills in or rewrites: default values, quantities, empty values, merged lists. */
export function kubeSamples(namespace: string): [ResourceType, KubeObject][] {
  const metadata = (name: string): ObjectMeta => ({ name, namespace, labels: { app: 'sample' } });
  const sample = (type: ResourceType, name: string, rest: object): [ResourceType, KubeObject] => [
    type,
    { apiVersion: type.apiVersion, kind: type.kind, metadata: metadata(name), ...rest },
  ];
  return [
    sample(RESOURCES.configMaps, 'sample', { data: { max: '1000m', empty: '' } }),
    sample(RESOURCES.secrets, 'sample', { type: 'Opaque', stringData: { password: 'not secret' } }),
    sample(RESOURCES.serviceAccounts, 'sample', { automountServiceAccountToken: false }),
    sample(RESOURCES.roles, 'sample', {
      rules: [{ apiGroups: ['coordination.k8s.io'], resources: ['leases'], resourceNames: ['x'], verbs: ['get'] }],
    }),
    sample(RESOURCES.roleBindings, 'sample', {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'sample' },
      subjects: [{ kind: 'ServiceAccount', name: 'sample', namespace }],
    }),
    sample(RESOURCES.services, 'sample', {
      spec: {
        selector: { app: 'sample' },
        ports: [{ name: 'sql', port: 5432, targetPort: 5432 }],
        publishNotReadyAddresses: false,
      },
    }),
    sample(RESOURCES.endpointSlices, 'sample', {
      addressType: 'IPv4',
      endpoints: [
        { addresses: ['10.0.0.1'], conditions: { ready: true }, targetRef: { kind: 'Pod', name: 'x', namespace } },
      ],
      ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }],
    }),
    sample(RESOURCES.podDisruptionBudgets, 'sample', {
      spec: { maxUnavailable: 1, selector: { matchLabels: { app: 'sample' } } },
    }),
    sample(RESOURCES.persistentVolumeClaims, 'sample', {
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'none',
        resources: { requests: { storage: '1024Mi' } },
      },
    }),
    sample(RESOURCES.pods, 'sample', { spec: podSpec }),
  ];
}

const podSpec = {
  serviceAccountName: 'sample',
  restartPolicy: 'Always',
  hostNetwork: false,
  securityContext: { runAsUser: 999, runAsNonRoot: true, fsGroup: 999, seccompProfile: { type: 'RuntimeDefault' } },
  initContainers: [
    {
      name: 'install',
      image: 'example.org/tool:1',
      args: ['install', '/tool'],
      volumeMounts: [{ name: 'tool', mountPath: '/tool' }],
    },
  ],
  containers: [
    {
      name: 'engine',
      image: 'example.org/engine:1',
      command: ['/tool/run'],
      args: [],
      env: [
        { name: 'EMPTY', value: '' },
        { name: 'POD_UID', valueFrom: { fieldRef: { fieldPath: 'metadata.uid' } } },
      ],
      ports: [{ name: 'sql', containerPort: 5432 }],
      resources: { requests: { cpu: '500m', memory: '1024Mi' }, limits: { cpu: '1000m', memory: '2048Mi' } },
      readinessProbe: { httpGet: { path: '/readyz', port: 8081 }, periodSeconds: 1 },
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      volumeMounts: [
        { name: 'tool', mountPath: '/tool', readOnly: false },
        { name: 'tls', mountPath: '/tls', readOnly: true },
      ],
    },
  ],
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: 'kubernetes.io/hostname',
      whenUnsatisfiable: 'ScheduleAnyway',
      labelSelector: { matchLabels: { app: 'sample' } },
    },
  ],
  tolerations: [
    { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
  ],
  volumes: [
    { name: 'tool', emptyDir: {} },
    { name: 'shm', emptyDir: { medium: 'Memory', sizeLimit: '0.5Gi' } },
    { name: 'tls', secret: { secretName: 'sample', defaultMode: 0o440 } },
  ],
};
