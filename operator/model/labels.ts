import { API_GROUP } from './names.ts';
import type { Role } from './roles.ts';

/** Labels of our own objects; every watch of children selects by these. */
export const LABEL = {
  managedBy: 'app.kubernetes.io/managed-by',
  cluster: `${API_GROUP}/cluster`,
  instance: `${API_GROUP}/instance`,
  component: `${API_GROUP}/component`,
} as const;

/** Label of a node that a person keeps free of databases (the original's). */
export const MAINTENANCE_LABEL = `${API_GROUP}/maintainNode`;

/** Annotation of the EndpointSlice of `<cluster>-rw`: the incarnation that it leads to, exactly. */
export const INCARNATION_ANNOTATION = `${API_GROUP}/incarnation`;

export const MANAGED_BY = 'polardb-stack';

/** Labels of the original that dashboards and scripts of its users select by (facts: engine pod). */
export const ORIGINAL_LABEL = {
  role: 'apsara.metric.db_ins_type',
  clusterName: 'apsara.metric.clusterName',
  dbType: 'apsara.metric.db_type',
  logicName: 'apsara.metric.logic_custins_name',
  physicalName: 'apsara.metric.ins_name',
  volume: 'apsara.metric.pv_name',
  port: 'apsara.ins.port',
  logicId: 'apsara.metric.logic_custins_id',
  physicalId: 'apsara.metric.physical_custins_id',
  instanceId: 'apsara.metric.ins_id',
} as const;

/** Value of the original's role label. A standby is not part of the read-only traffic, so it has its own value. */
export function roleLabel(role: Role): string {
  return { rw: 'polardb_mpd_rw', ro: 'polardb_mpd_ro', standby: 'polardb_mpd_standby' }[role];
}

/** Labels that select all children of one cluster. */
export function clusterLabels(cluster: string): Record<string, string> {
  return { [LABEL.managedBy]: MANAGED_BY, [LABEL.cluster]: cluster };
}
