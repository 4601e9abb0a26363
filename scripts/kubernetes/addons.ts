import { addressesOf } from './addresses.ts';
import { controlPlane, type ClusterSettings } from './control-plane.ts';
import { nodeName, volumesInNode } from './node.ts';

/** Local volumes that each node offers. */
export const volumesPerNode = 10;

/** The storage class of local volumes, and the label of the volumes that this driver cares for. */
export const localStorage = 'local';
export const volumeLabel = 'polardb-stack.local/node';

export interface VolumeName {
  node: string;
  name: string;
}

/** All local volumes of a cluster. The name is that of the PersistentVolume without the node. */
export function volumesOf({ nodes }: ClusterSettings): VolumeName[] {
  return Array.from({ length: nodes }, (_, i) => nodeName(i + 1)).flatMap(node =>
    Array.from({ length: volumesPerNode }, (_, i) => ({ node, name: `v${i + 1}` })),
  );
}

/** What a usable cluster has beside its nodes: cluster DNS, a default storage class, volumes. */
export function addons(settings: ClusterSettings): object[] {
  return [storageClass, ...volumesOf(settings).map(volume), ...dns(settings)];
}

const storageClass = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: localStorage, annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
  provisioner: 'kubernetes.io/no-provisioner',
  volumeBindingMode: 'WaitForFirstConsumer',
};

/** A volume in a directory of one node. `Delete` is carried out by recycleVolumes: local volumes have no deleter. */
export function volume({ node, name }: VolumeName): object {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `${node}-${name}`, labels: { [volumeLabel]: node } },
    spec: {
      capacity: { storage: '20Gi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Delete',
      storageClassName: localStorage,
      local: { path: `${volumesInNode}/${name}` },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] },
          ],
        },
      },
    },
  };
}

/** DNS is served by the control plane machine, so that it needs no image and survives the loss of any node. */
function dns(settings: ClusterSettings): object[] {
  const { dns: clusterIP, controlPlane: address } = addressesOf(settings.index);
  const metadata = { name: 'kube-dns', namespace: 'kube-system' };
  const ports = ['UDP', 'TCP'].map(protocol => ({ name: `dns-${protocol.toLowerCase()}`, protocol, port: 53 }));
  const role = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:coredns' };
  return [
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { clusterIP, ports } },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, name: `kube-dns-${controlPlane}`, labels: { 'kubernetes.io/service-name': 'kube-dns' } },
      addressType: 'IPv4',
      ports,
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: role.name },
      rules: [
        { apiGroups: [''], resources: ['services', 'pods', 'namespaces'], verbs: ['list', 'watch'] },
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: role.name },
      roleRef: role,
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'system:coredns' }],
    },
  ];
}
