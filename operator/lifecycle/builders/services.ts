import type { EndpointSlice, PodDisruptionBudget, Service } from '../../kube/resources.ts';
import { clusterLabels, LABEL, MANAGED_BY, ORIGINAL_LABEL, roleLabel } from '../../model/labels.ts';
import { API_GROUP, roDisruptionBudget, roService, rwService } from '../../model/names.ts';
import type { ClusterPlan } from '../plan.ts';
import { childMeta } from './meta.ts';

const PORT_NAME = 'postgresql';

/** Port of both Services: the engine's own, so that a client that is told host and port needs no second number. */
export function servicePort(plan: ClusterPlan): number {
  return plan.instances[0]?.ports.engine ?? 5432;
}

/** Selector-less: its one EndpointSlice is the publication of the RW, so one write moves the traffic (protocol, Publish). */
export function buildRwService(plan: ClusterPlan): Service {
  return service(plan, rwService(plan.name), {});
}

/** Read-only traffic: every ready RO. In `share` of stock PostgreSQL there is none, so the Service stays empty. */
export function buildRoService(plan: ClusterPlan): Service {
  return service(plan, roService(plan.name), {
    selector: { ...clusterLabels(plan.name), [ORIGINAL_LABEL.role]: roleLabel('ro') },
  });
}

function service(plan: ClusterPlan, name: string, extra: { selector?: Record<string, string> }): Service {
  const port = servicePort(plan);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: childMeta(plan, name),
    spec: { type: 'ClusterIP', ports: [{ name: PORT_NAME, port, targetPort: port, protocol: 'TCP' }], ...extra },
  };
}

/** Where the RW listens now. */
export interface Publication {
  address: string;
  port: number;
  nodeName: string;
  podName: string;
  podUid: string;
  /** Who was verified to accept writes there. */
  incarnation: string;
}

/** Annotation of the EndpointSlice: whom it leads to, exactly. */
export const INCARNATION_ANNOTATION = `${API_GROUP}/incarnation`;

/** Endpoints of a slice: the API server gives null for none. */
export const endpointsOf = (slice: EndpointSlice | undefined): EndpointSlice['endpoints'] =>
  (slice?.endpoints as EndpointSlice['endpoints'] | null | undefined) ?? [];

/**
 * The one EndpointSlice of `<cluster>-rw`; without a publication it is empty and clients are refused at once.
 * @param former as it is now: an empty one keeps its kind of addresses, which the API server lets nobody change
 */
export function buildRwEndpoints(
  plan: ClusterPlan,
  at: Publication | undefined,
  former?: Pick<EndpointSlice, 'addressType'>,
): EndpointSlice {
  const meta = childMeta(plan, rwService(plan.name));
  const labels = {
    ...meta.labels,
    'kubernetes.io/service-name': rwService(plan.name),
    'endpointslice.kubernetes.io/managed-by': MANAGED_BY,
  };
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...meta, labels, annotations: { [INCARNATION_ANNOTATION]: at?.incarnation ?? '' } },
    addressType: at ? familyOf(at.address) : (former?.addressType ?? 'IPv4'),
    endpoints: at ? [endpoint(plan, at)] : [],
    ports: [{ name: PORT_NAME, port: at?.port ?? servicePort(plan), protocol: 'TCP' }],
  };
}

const familyOf = (address: string): EndpointSlice['addressType'] => (address.includes(':') ? 'IPv6' : 'IPv4');

function endpoint(plan: ClusterPlan, at: Publication): EndpointSlice['endpoints'][number] {
  return {
    addresses: [at.address],
    conditions: { ready: true, serving: true, terminating: false },
    nodeName: at.nodeName,
    targetRef: { kind: 'Pod', namespace: plan.namespace, name: at.podName, uid: at.podUid },
  };
}

/** One RO may be away at a time for a voluntary reason; the RW has no budget until a switchover can move it. */
export function buildRoDisruptionBudget(plan: ClusterPlan): PodDisruptionBudget {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: childMeta(plan, roDisruptionBudget(plan.name)),
    spec: {
      maxUnavailable: 1,
      selector: {
        matchLabels: { [LABEL.cluster]: plan.name, [ORIGINAL_LABEL.role]: roleLabel('ro') },
      },
    },
  };
}
