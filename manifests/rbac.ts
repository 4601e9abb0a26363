import type { IPolicyRule } from 'kubernetes-models/rbac.authorization.k8s.io/v1';
import { API_GROUP, CA_SECRET } from '../operator/model/names.ts';

/** A rule and the code that needs it. What no code needs is not granted; children go by owner reference, not by us. */
export interface GrantedRule {
  rule: IPolicyRule;
  why: string;
}

/** What a cache needs. */
const WATCH = ['list', 'watch'];
/** What server-side apply needs: it creates what is absent. */
const APPLY = ['create', 'patch'];
const RBAC = 'rbac.authorization.k8s.io';
const LEASES = 'coordination.k8s.io';

function rule(apiGroup: string, resources: string[], verbs: string[], why: string): GrantedRule {
  return { rule: { apiGroups: [apiGroup], resources, verbs }, why };
}

/** In every namespace with clusters. */
export const clusterRules: readonly GrantedRule[] = [
  rule(API_GROUP, ['mpdclusters'], ['get', ...WATCH, 'patch'], 'lifecycle: clusters and their finalizer'),
  rule(API_GROUP, ['mpdclusters/status'], ['patch'], 'lifecycle: status and conditions'),
  rule(API_GROUP, ['mpdoperations'], ['get', ...WATCH, 'create', 'delete'], 'lifecycle: queue and pruning'),
  rule(API_GROUP, ['mpdoperations/status'], ['patch'], 'workflow: the journal'),
  rule(
    '',
    ['pods'],
    ['get', ...WATCH, ...APPLY, 'delete'],
    'lifecycle: engine pods; patch ends their finalizer on proof',
  ),
  rule('', ['services', 'serviceaccounts'], [...WATCH, ...APPLY], 'lifecycle: children of a cluster'),
  rule(
    '',
    ['persistentvolumeclaims'],
    ['get', ...WATCH, 'create', 'delete'],
    'lifecycle: volumes, by terminationPolicy',
  ),
  rule('', ['configmaps'], [...WATCH, 'create'], 'lifecycle: user and running parameters'),
  rule('', ['secrets'], ['get', ...WATCH, ...APPLY], 'lifecycle, pki: accounts, application access, certificates'),
  rule('discovery.k8s.io', ['endpointslices'], [...WATCH, ...APPLY], 'lifecycle: publishes the RW of <c>-rw'),
  rule('policy', ['poddisruptionbudgets'], [...WATCH, ...APPLY], 'lifecycle: one RO may be drained at a time'),
  rule(LEASES, ['leases'], ['get', ...WATCH, 'create', 'update'], 'ha: the record of who is RW, by compare and swap'),
  rule(RBAC, ['roles', 'rolebindings'], [...WATCH, ...APPLY], 'lifecycle: a pod may read its own record, nothing else'),
  rule('events.k8s.io', ['events'], APPLY, 'kube: reasons for people'),
];

/** Of the whole Kubernetes cluster; also with watchNamespaces, since these kinds have no namespace. */
export const hostRules: readonly GrantedRule[] = [
  rule('', ['nodes'], WATCH, 'lifecycle: the out-of-service taint (ladder, rung 5)'),
];

/** Kubelets renew their Leases here: a kubelet's word counts only while its Lease is fresh (ladder, rung 2). */
export const nodeLeaseRules: readonly GrantedRule[] = [
  rule(LEASES, ['leases'], ['get'], 'ha: is the kubelet that reports alive?'),
];

/** In the settings namespace. */
export const settingsRules: readonly GrantedRule[] = [
  rule('', ['configmaps'], WATCH, 'settings: the maps of the site, by name and by label'),
  {
    rule: {
      apiGroups: [''],
      resources: ['configmaps'],
      resourceNames: ['polardb4mpd-controller'],
      verbs: ['get', 'update'],
    },
    why: 'lifecycle: ids, taken by an update that checks resourceVersion',
  },
];

/** In the system namespace. */
export const systemRules: readonly GrantedRule[] = [
  rule(LEASES, ['leases'], ['get', 'create', 'update'], 'kube: leader election'),
  // A name cannot be asked of what does not exist yet.
  rule('', ['secrets'], ['create'], 'pki: makes the certificate authority'),
  {
    rule: {
      apiGroups: [''],
      resources: ['secrets'],
      resourceNames: [CA_SECRET],
      verbs: ['get', 'update', ...WATCH],
    },
    why: 'pki: signs with the certificate authority, follows its changes and rotates it',
  },
  rule('', ['configmaps'], ['list', 'create', 'delete'], 'lifecycle: ports of the host network, an object each'),
];
