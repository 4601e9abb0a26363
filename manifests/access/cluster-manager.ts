import { API_GROUP, CLUSTER_MANAGER_TLS_SECRET } from '../../operator/model/names.ts';
import { APPLY, LEASES, named, rule, WATCH, type PartAccess } from './rule.ts';

/** The key of the certificate authority is not among it, nor any Secret of a cluster. */
export const clusterManagerAccess: PartAccess = {
  part: 'cluster-manager',
  clusters: [
    rule(API_GROUP, ['mpdclusters'], ['get', ...WATCH, 'patch'], 'failover: what is wanted of each group; api: a hold'),
    rule(API_GROUP, ['mpdclusters/status'], ['patch'], 'failover: who is RW, and conditions'),
    rule(API_GROUP, ['mpdoperations'], [...WATCH, 'create'], 'failover: switchovers; api: asks for them'),
    rule(API_GROUP, ['mpdoperations/status'], ['patch'], 'failover: their journal'),
    rule('', ['pods'], [...WATCH, 'patch'], 'failover: members, what kubelets say of them, their role labels'),
    rule('', ['configmaps'], ['get', ...WATCH, ...APPLY], 'failover: parameters of engines, and the log of switches'),
    rule('discovery.k8s.io', ['endpointslices'], [...WATCH, ...APPLY], 'failover: publishes the RW of <c>-rw'),
    rule(LEASES, ['leases'], ['get', ...WATCH, 'create', 'update'], 'ha: the record of who is RW, by compare and swap'),
    rule('events.k8s.io', ['events'], APPLY, 'kube: reasons for people'),
  ],
  hosts: [
    rule('', ['nodes'], WATCH, 'failover: nodes that are drained, or said to be off (ladder, rung 5)'),
    rule('authentication.k8s.io', ['tokenreviews'], ['create'], 'api: who calls'),
    rule('authorization.k8s.io', ['subjectaccessreviews'], ['create'], 'api: may the caller do that'),
  ],
  nodeLeases: [rule(LEASES, ['leases'], ['get'], 'ha: is the kubelet that reports alive? (ladder, rung 2)')],
  settings: [],
  system: [
    rule(LEASES, ['leases'], ['get', 'create', 'update'], 'kube: leader election'),
    named(
      [CLUSTER_MANAGER_TLS_SECRET],
      rule('', ['secrets'], WATCH, 'failover: its certificate, which the operator renews'),
    ),
  ],
};
