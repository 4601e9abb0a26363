import { API_GROUP } from '../../operator/model/names.ts';
import { APPLY, LEASES, rule, WATCH, type PartAccess } from './rule.ts';

/**
 * Hosts belong to no namespace: what a daemon reads, it reads everywhere, also with watchNamespaces, or the clean-up could
 * take a folder for nobody's. None of it is a Secret. An admission policy holds each daemon to the objects of its own host.
 */
export const daemonAccess: PartAccess = {
  part: 'daemon',
  clusters: [],
  hosts: [
    rule(
      '',
      ['nodes'],
      ['get', ...WATCH],
      'daemon: its own node; api: the address of the host of a pod, and which hosts there are',
    ),
    rule('', ['nodes/status'], ['patch'], 'daemon: conditions of its own node'),
    rule('', ['pods'], ['get', 'list'], 'logs: who names an instance; api: the host of a pod, and the other daemons'),
    rule(API_GROUP, ['mpdclusters'], ['list'], 'logs: who names an instance'),
    rule('events.k8s.io', ['events'], APPLY, 'kube: reasons for people'),
    rule('authentication.k8s.io', ['tokenreviews'], ['create'], 'api: who calls'),
    rule('authorization.k8s.io', ['subjectaccessreviews'], ['create'], 'api: may the caller do that'),
  ],
  nodeLeases: [],
  settings: [
    rule('', ['configmaps'], ['get', ...WATCH, 'create', 'update'], 'settings: read; facts of its own host: written'),
  ],
  system: [rule(LEASES, ['leases'], ['get', 'create', 'update'], 'versions: whose turn it is to pull images')],
};
