import { formatIncarnation, parseIncarnation, type Incarnation } from '../ha/incarnation.ts';
import type { EndpointSlice } from '../kube/resources.ts';
import { INCARNATION_ANNOTATION, MANAGED_BY } from '../model/labels.ts';
import { rwService } from '../model/names.ts';
import type { GroupTarget } from './target.ts';
import { childMeta } from '../kinds/child.ts';
import { servicePort, ENGINE_PORT_NAME } from '../model/ports.ts';

/** Where the RW listens now. */
export interface Publication {
  address: string;
  port: number;
  nodeName: string;
  podName: string;
  /** Who was verified to accept writes there. */
  incarnation: Incarnation;
}

/**
 * The one EndpointSlice of `<cluster>-rw`; without a publication it is empty and clients are refused at once.
 * @param former as it is now: an empty one keeps its kind of addresses, which the API server lets nobody change
 */
export function buildRwEndpoints(
  target: GroupTarget,
  at: Publication | undefined,
  former?: Pick<EndpointSlice, 'addressType'>,
): EndpointSlice {
  const meta = childMeta(target, rwService(target.name));
  const labels = {
    ...meta.labels,
    'kubernetes.io/service-name': rwService(target.name),
    'endpointslice.kubernetes.io/managed-by': MANAGED_BY,
  };
  const incarnation = at ? formatIncarnation(at.incarnation) : '';
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...meta, labels, annotations: { [INCARNATION_ANNOTATION]: incarnation } },
    addressType: at ? familyOf(at.address) : (former?.addressType ?? 'IPv4'),
    endpoints: at ? [endpoint(target, at)] : [],
    ports: [{ name: ENGINE_PORT_NAME, port: at?.port ?? servicePort(target.instances), protocol: 'TCP' }],
  };
}

/** Whom the endpoint leads to; undefined when to nobody. */
export function publishedIncarnation(slice: EndpointSlice | undefined): Incarnation | undefined {
  // The API server gives null for no endpoints.
  const endpoints = (slice?.endpoints as EndpointSlice['endpoints'] | null | undefined) ?? [];
  if (endpoints.length === 0) return undefined;
  return parseIncarnation(slice?.metadata.annotations?.[INCARNATION_ANNOTATION] ?? '');
}

const familyOf = (address: string): EndpointSlice['addressType'] => (address.includes(':') ? 'IPv6' : 'IPv4');

function endpoint(target: GroupTarget, at: Publication): EndpointSlice['endpoints'][number] {
  return {
    addresses: [at.address],
    conditions: { ready: true, serving: true, terminating: false },
    nodeName: at.nodeName,
    targetRef: { kind: 'Pod', namespace: target.namespace, name: at.podName, uid: at.incarnation.podUid },
  };
}
