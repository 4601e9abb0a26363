import type { IDaemonSet } from 'kubernetes-models/apps/v1';
import type { ICustomResourceDefinition } from 'kubernetes-models/apiextensions.k8s.io/v1';
import type { ILease } from 'kubernetes-models/coordination.k8s.io/v1';
import type { IEndpointSlice } from 'kubernetes-models/discovery.k8s.io/v1';
import type { IEvent } from 'kubernetes-models/events.k8s.io/v1';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1';
import type { IRole, IRoleBinding } from 'kubernetes-models/rbac.authorization.k8s.io/v1';
import type { IStorageClass } from 'kubernetes-models/storage.k8s.io/v1';
import type {
  IConfigMap,
  INamespace,
  INode,
  IPersistentVolume,
  IPersistentVolumeClaim,
  IPod,
  ISecret,
  IService,
  IServiceAccount,
} from 'kubernetes-models/v1';
import type { KubeObject, ObjectMeta } from './types.ts';

/** Where a kind lives in the API, and the type of its objects. */
export interface ResourceType<T extends KubeObject = KubeObject> {
  apiVersion: string;
  kind: string;
  plural: string;
  namespaced: boolean;
  /** Carries T for the compiler; never set. */
  readonly objectType?: T;
}

/** A generated model type as the API server returns it: metadata is always there. */
type Stored<I extends { apiVersion: string; kind: string }> = Omit<I, 'metadata'> & { metadata: ObjectMeta };

export type DaemonSet = Stored<IDaemonSet>;
export type Pod = Stored<IPod>;
export type Service = Stored<IService>;
export type ConfigMap = Stored<IConfigMap>;
export type Secret = Stored<ISecret>;
export type PersistentVolumeClaim = Stored<IPersistentVolumeClaim>;
export type PersistentVolume = Stored<IPersistentVolume>;
export type StorageClass = Stored<IStorageClass>;
export type Node = Stored<INode>;
export type Namespace = Stored<INamespace>;
export type Lease = Stored<ILease>;
export type ServiceAccount = Stored<IServiceAccount>;
export type Role = Stored<IRole>;
export type RoleBinding = Stored<IRoleBinding>;
export type PodDisruptionBudget = Stored<IPodDisruptionBudget>;
export type EndpointSlice = Stored<IEndpointSlice>;
export type Event = Stored<IEvent>;
export type CustomResourceDefinition = Stored<ICustomResourceDefinition>;

/** A kind by its parts, for custom resources: `resource<MPDCluster>('group/v1', 'MPDCluster', 'mpdclusters')`. */
export function resource<T extends KubeObject>(
  apiVersion: string,
  kind: string,
  plural: string,
  namespaced = true,
): ResourceType<T> {
  return { apiVersion, kind, plural, namespaced };
}

/** The built-in kinds that the parts use. */
export const RESOURCES = {
  daemonSets: resource<DaemonSet>('apps/v1', 'DaemonSet', 'daemonsets'),
  pods: resource<Pod>('v1', 'Pod', 'pods'),
  services: resource<Service>('v1', 'Service', 'services'),
  configMaps: resource<ConfigMap>('v1', 'ConfigMap', 'configmaps'),
  secrets: resource<Secret>('v1', 'Secret', 'secrets'),
  persistentVolumeClaims: resource<PersistentVolumeClaim>('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims'),
  persistentVolumes: resource<PersistentVolume>('v1', 'PersistentVolume', 'persistentvolumes', false),
  storageClasses: resource<StorageClass>('storage.k8s.io/v1', 'StorageClass', 'storageclasses', false),
  nodes: resource<Node>('v1', 'Node', 'nodes', false),
  namespaces: resource<Namespace>('v1', 'Namespace', 'namespaces', false),
  serviceAccounts: resource<ServiceAccount>('v1', 'ServiceAccount', 'serviceaccounts'),
  leases: resource<Lease>('coordination.k8s.io/v1', 'Lease', 'leases'),
  roles: resource<Role>('rbac.authorization.k8s.io/v1', 'Role', 'roles'),
  roleBindings: resource<RoleBinding>('rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings'),
  podDisruptionBudgets: resource<PodDisruptionBudget>('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets'),
  endpointSlices: resource<EndpointSlice>('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices'),
  events: resource<Event>('events.k8s.io/v1', 'Event', 'events'),
  customResourceDefinitions: resource<CustomResourceDefinition>(
    'apiextensions.k8s.io/v1',
    'CustomResourceDefinition',
    'customresourcedefinitions',
    false,
  ),
} as const;

/** Path of a collection, an object or a subresource of it, each part escaped. */
export function pathOf(type: ResourceType, at: { namespace?: string; name?: string; subresource?: string }): string {
  const parts = [type.apiVersion.includes('/') ? '/apis' : '/api', type.apiVersion];
  if (type.namespaced && at.namespace) parts.push('namespaces', encodeURIComponent(at.namespace));
  parts.push(type.plural);
  if (at.name !== undefined) parts.push(encodeURIComponent(at.name));
  if (at.subresource) parts.push(at.subresource);
  return parts.join('/');
}
