import { parseRecord, type LeaseObject } from '../../ha/lease.ts';
import type { GroupRecord } from '../../ha/record.ts';
import { RESOURCES } from '../../kube/resources.ts';
import { recordName } from '../../model/names.ts';
import type { ClusterContext } from '../context.ts';

/** The Lease that holds the record of a cluster, read directly: nothing is decided by a cached one. */
export async function readLease({ plan, tools }: ClusterContext): Promise<LeaseObject | undefined> {
  const ref = { namespace: plan.namespace, name: recordName(plan.name) };
  return (await tools.client.get(RESOURCES.leases, ref)) as LeaseObject | undefined;
}

/** Who is RW as of now; undefined when there is no record. @throws RecordError when the Lease holds something else */
export async function readRecord(context: ClusterContext): Promise<GroupRecord | undefined> {
  const lease = await readLease(context);
  return lease && parseRecord(lease);
}
