import { parseIncarnation, isSameIncarnation, type Incarnation } from '../../ha/incarnation.ts';
import { parseRecord, RecordError, type LeaseObject } from '../../ha/lease.ts';
import { isFirstCreation, type GroupRecord } from '../../ha/record.ts';
import { RESOURCES, type EndpointSlice, type Lease } from '../../kube/resources.ts';
import { INCARNATION_ANNOTATION } from '../../model/labels.ts';
import { recordName, rwService } from '../../model/names.ts';
import type { ClusterContext } from '../context.ts';

type Seen = Pick<ClusterContext, 'plan' | 'children'>;

/** Who is RW as of now, read directly; undefined when there is no record. @throws RecordError when the Lease holds something else */
export async function readRecord({ plan, tools }: ClusterContext): Promise<GroupRecord | undefined> {
  const lease = await tools.client.get(RESOURCES.leases, { namespace: plan.namespace, name: recordName(plan.name) });
  return lease && parseRecord(lease as unknown as LeaseObject);
}

/**
 * The record as the watch shows it; undefined when there is none of this cluster. What cannot be read is as good as not
 * there: the cluster manager says what is wrong with it.
 */
export function recordSeen({ plan, children }: Seen): GroupRecord | undefined {
  const lease = children.leases.find(({ metadata }) => metadata.name === recordName(plan.name));
  const record = lease && parsed(lease);
  return record?.clusterUid === plan.uid ? record : undefined;
}

/** The holder of the record, once the RW Service leads to it: somebody accepts writes. As the watches show it. */
export function servingHolder(context: Seen): Incarnation | undefined {
  const holder = recordSeen(context)?.holder;
  const published = publishedIncarnation(context);
  return holder && published && isSameIncarnation(holder, published) ? holder : undefined;
}

/** Nobody is RW, and whoever was last is proven to be it no more. */
export const isGroupStopped = (record: GroupRecord | undefined): boolean =>
  !record || (!record.holder && (record.fence !== undefined || isFirstCreation(record)));

/** Whom the RW Service leads to. */
function publishedIncarnation({ plan, children }: Seen): Incarnation | undefined {
  const slice = children.endpointSlices.find(it => it.metadata.name === rwService(plan.name));
  if (endpointsOf(slice).length === 0) return undefined;
  return parseIncarnation(slice?.metadata.annotations?.[INCARNATION_ANNOTATION] ?? '');
}

/** Endpoints of a slice: the API server gives null for none. */
export const endpointsOf = (slice: EndpointSlice | undefined): EndpointSlice['endpoints'] =>
  (slice?.endpoints as EndpointSlice['endpoints'] | null | undefined) ?? [];

function parsed(lease: Lease): GroupRecord | undefined {
  try {
    return parseRecord(lease as unknown as LeaseObject);
  } catch (error) {
    if (error instanceof RecordError) return undefined;
    throw error;
  }
}
