import type { PodDisruptionBudget, Service } from '../../kube/resources.ts';
import { clusterLabels, LABEL, ORIGINAL_LABEL, roleLabel } from '../../model/labels.ts';
import { roDisruptionBudget, roService, rwDisruptionBudget, rwService } from '../../model/names.ts';
import type { ClusterPlan } from '../plan.ts';
import { childMeta } from '../../kinds/child.ts';
import { servicePort, ENGINE_PORT_NAME } from '../../model/ports.ts';

/**
 * Selector-less: its one EndpointSlice, which the cluster manager writes, is the publication of the RW, so that one write
 * moves the traffic (protocol, Publish).
 */
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
  const port = servicePort(plan.instances);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: childMeta(plan, name),
    spec: { type: 'ClusterIP', ports: [{ name: ENGINE_PORT_NAME, port, targetPort: port, protocol: 'TCP' }], ...extra },
  };
}

/** One RO may be away at a time for a voluntary reason. */
export function buildRoDisruptionBudget(plan: ClusterPlan): PodDisruptionBudget {
  return disruptionBudget(plan, roDisruptionBudget(plan.name), 'ro', { maxUnavailable: 1 });
}

/**
 * The RW is not evicted: the cluster manager makes another instance the RW first, as soon as the node is cordoned. Where
 * there is no other instance nothing can be done first, and the person who drains the node decides.
 */
export function buildRwDisruptionBudget(plan: ClusterPlan): PodDisruptionBudget | undefined {
  if (plan.instances.length < 2) return undefined;
  return disruptionBudget(plan, rwDisruptionBudget(plan.name), 'rw', { minAvailable: 1 });
}

function disruptionBudget(
  plan: ClusterPlan,
  name: string,
  role: 'rw' | 'ro',
  limit: { maxUnavailable: number } | { minAvailable: number },
): PodDisruptionBudget {
  const matchLabels = { [LABEL.cluster]: plan.name, [ORIGINAL_LABEL.role]: roleLabel(role) };
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: childMeta(plan, name),
    spec: { ...limit, selector: { matchLabels } },
  };
}
