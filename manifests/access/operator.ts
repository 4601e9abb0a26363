import { DAEMON_SUBJECT, DAEMON_TLS_SECRET } from '../../operator/model/host.ts';
import { API_GROUP, CA_SECRET, CLUSTER_MANAGER_TLS_SECRET } from '../../operator/model/names.ts';
import { APPLY, LEASES, named, rule, WATCH, type PartAccess } from './rule.ts';

const RBAC = 'rbac.authorization.k8s.io';

export const operatorAccess: PartAccess = {
  part: 'operator',
  clusters: [
    rule(API_GROUP, ['mpdclusters'], ['get', ...WATCH, 'patch'], 'lifecycle: clusters and their finalizer'),
    rule(API_GROUP, ['mpdclusters/status'], ['patch'], 'lifecycle: status and conditions'),
    rule(API_GROUP, ['mpdoperations'], ['get', ...WATCH, ...APPLY, 'delete'], 'lifecycle: queue and pruning'),
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
    rule(
      '',
      ['configmaps'],
      ['get', ...WATCH, ...APPLY],
      'lifecycle: user and running parameters; patch gives lost labels back',
    ),
    rule('', ['secrets'], ['get', ...WATCH, ...APPLY], 'lifecycle, pki: accounts, application access, certificates'),
    rule('discovery.k8s.io', ['endpointslices'], WATCH, 'lifecycle: is the RW published?'),
    rule('policy', ['poddisruptionbudgets'], [...WATCH, ...APPLY], 'lifecycle: what may be drained at a time'),
    rule(LEASES, ['leases'], ['get', ...WATCH], 'lifecycle: who is RW; pods go only by what the record proves'),
    rule(
      RBAC,
      ['roles', 'rolebindings'],
      [...WATCH, ...APPLY],
      'lifecycle: a pod may read its own record, nothing else',
    ),
    rule('events.k8s.io', ['events'], APPLY, 'kube: reasons for people'),
  ],
  hosts: [
    rule(
      '',
      ['nodes'],
      WATCH,
      'lifecycle: the out-of-service taint (ladder, rung 5), and what daemons say of their hosts',
    ),
    rule('', ['persistentvolumes'], ['get'], 'lifecycle: which device a shared volume is on'),
  ],
  nodeLeases: [],
  settings: [
    rule(
      '',
      ['configmaps'],
      WATCH,
      'settings: the maps of the site, by name and by label; lifecycle: ports in use and versions of the hosts, by label',
    ),
    named(
      ['polardb4mpd-controller'],
      rule('', ['configmaps'], ['get', 'update'], 'lifecycle: ids, taken by an update that checks resourceVersion'),
    ),
  ],
  system: [
    rule(LEASES, ['leases'], ['get', 'create', 'update'], 'kube: leader election'),
    // A name cannot be asked of what does not exist yet.
    rule('', ['secrets'], ['create'], 'pki: makes the certificate authority, and certificates of parts'),
    named(
      [CA_SECRET],
      rule(
        '',
        ['secrets'],
        ['get', 'update', ...WATCH],
        'pki: signs with the certificate authority, follows its changes and rotates it',
      ),
    ),
    named(
      [CLUSTER_MANAGER_TLS_SECRET, DAEMON_TLS_SECRET],
      rule('', ['secrets'], [...WATCH, 'patch'], 'pki: the certificate of a part that must not have the authority'),
    ),
    named(
      [DAEMON_SUBJECT.name],
      rule('apps', ['daemonsets'], WATCH, 'lifecycle: whether what daemons said of their hosts still counts'),
    ),
    rule('', ['configmaps'], ['list', 'create', 'delete'], 'lifecycle: ports of the host network, an object each'),
  ],
};
