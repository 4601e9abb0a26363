import type { IPolicyRule } from 'kubernetes-models/rbac.authorization.k8s.io/v1';
import { API_GROUP } from '../operator/model/names.ts';

/** A rule and the code that needs it. What no code needs is not granted. */
export interface GrantedRule {
  rule: IPolicyRule;
  why: string;
}

const READ = ['get', 'list', 'watch'];
const KEEP = [...READ, 'create', 'patch', 'delete'];

function rule(apiGroup: string, resources: string[], verbs: string[], why: string): GrantedRule {
  return { rule: { apiGroups: [apiGroup], resources, verbs }, why };
}

const RBAC = 'rbac.authorization.k8s.io';

/** In every namespace with clusters. */
export const clusterRules: readonly GrantedRule[] = [
  rule(
    API_GROUP,
    ['mpdclusters'],
    [...READ, 'patch', 'update'],
    'lifecycle: watches clusters; finalizer, taken requests',
  ),
  rule(API_GROUP, ['mpdclusters/status'], ['patch', 'update'], 'lifecycle: status and conditions'),
  rule(API_GROUP, ['mpdclusters/finalizers'], ['update'], 'lifecycle: owner references that block deletion'),
  rule(API_GROUP, ['mpdoperations'], [...KEEP, 'update'], 'workflow: journal, queue, pruning'),
  rule(API_GROUP, ['mpdoperations/status'], ['patch', 'update'], 'workflow: journal, queue, pruning'),
  rule('', ['pods'], KEEP, 'lifecycle: engine pods; patch removes their finalizer on proof'),
  rule('', ['services', 'persistentvolumeclaims', 'serviceaccounts'], KEEP, 'lifecycle: children of a cluster'),
  rule('', ['configmaps'], KEEP, 'lifecycle: user and running parameters'),
  rule('', ['secrets'], KEEP, 'lifecycle, pki: accounts, application access, certificates'),
  rule('discovery.k8s.io', ['endpointslices'], [...KEEP, 'update'], 'lifecycle: publishes the RW of <c>-rw'),
  rule('policy', ['poddisruptionbudgets'], KEEP, 'lifecycle: one RO may be drained at a time'),
  rule('coordination.k8s.io', ['leases'], [...KEEP, 'update'], 'ha: the record of who is RW, by compare and swap'),
  rule(RBAC, ['roles', 'rolebindings'], KEEP, 'lifecycle: a pod may read its own record and nothing else'),
  rule('', ['events'], ['create', 'patch'], 'observe: reasons for people'),
];

/** Of the whole Kubernetes cluster; also with watchNamespaces, since these kinds have no namespace. */
export const hostRules: readonly GrantedRule[] = [
  rule('', ['nodes'], READ, 'lifecycle: placement; kubelet evidence and the out-of-service taint (ladder)'),
  rule('', ['persistentvolumes'], ['get'], 'lifecycle: where a volume is and what is left of it'),
  rule('storage.k8s.io', ['storageclasses'], ['get'], 'lifecycle: a missing class is told before a claim waits for it'),
];

/** Kubelets renew their Leases here: a kubelet's word counts only while its Lease is fresh (ladder, rung 2). */
export const nodeLeaseRules: readonly GrantedRule[] = [
  rule('coordination.k8s.io', ['leases'], ['get'], 'ha: is the kubelet that reports alive?'),
];

/** In the settings namespace. */
export const settingsRules: readonly GrantedRule[] = [
  rule('', ['configmaps'], READ, 'settings: the maps of the site, by name and by label'),
  {
    rule: { apiGroups: [''], resources: ['configmaps'], resourceNames: ['polardb4mpd-controller'], verbs: ['update'] },
    why: 'lifecycle: ids, taken by an update that checks resourceVersion',
  },
];

/** In the system namespace. */
export const systemRules: readonly GrantedRule[] = [
  rule('coordination.k8s.io', ['leases'], ['get', 'create', 'update', 'patch'], 'kube: leader election'),
  rule('', ['secrets'], [...READ, 'create', 'patch'], 'pki: certificate authority and certificates of our parts'),
  rule('', ['configmaps'], ['list', 'create', 'delete'], 'lifecycle: ports of the host network, each an object'),
  rule('', ['events'], ['create', 'patch'], 'kube: who leads'),
];
