import { childMeta } from '../../kinds/child.ts';
import { LABEL } from '../../model/labels.ts';
import type { ClusterPlan } from '../plan.ts';
import type { ClusterInstance } from '../../kinds/instances.ts';

/** Metadata of a child object that belongs to one instance. */
export function instanceMeta(plan: ClusterPlan, name: string, { id }: ClusterInstance): ReturnType<typeof childMeta> {
  const meta = childMeta(plan, name);
  return { ...meta, labels: { ...meta.labels, [LABEL.instance]: id } };
}
