import type { ConfigMap } from '../../kube/resources.ts';
import { runningParams, userParams } from '../../model/names.ts';
import type { ClusterPlan } from '../plan.ts';
import { childMeta } from '../../kinds/child.ts';

/**
 * One value in the original's form. Times are UTC with seconds: the original wrote local time with a literal Z and
 * compared the texts, so that "newer" could be wrong.
 */
function entry(name: string, value: string, at: Date): string {
  const updateTime = at.toISOString().replace(/\.\d+Z$/, 'Z');
  return JSON.stringify({ name, value, updateTime, inoperative_value: '' });
}

function paramsMap(plan: ClusterPlan, kind: 'user-params' | 'running-params', at: Date): ConfigMap {
  const name = kind === 'user-params' ? userParams(plan.name) : runningParams(plan.name);
  const metadata = childMeta(plan, name);
  const names = Object.keys(plan.settings).sort();
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    // The original put the map's own name into `dbCluster`; scripts of its users select by it.
    metadata: { ...metadata, labels: { ...metadata.labels, dbCluster: name, configType: kind } },
    data: Object.fromEntries(names.map(key => [key, entry(key, plan.settings[key]!, at)])),
  };
}

/** What a person wants; created once and theirs from then on. */
export const buildUserParams = (plan: ClusterPlan, at: Date): ConfigMap => paramsMap(plan, 'user-params', at);

/** What is in effect; written with the settings that the engines were given. */
export const buildRunningParams = (plan: ClusterPlan, at: Date): ConfigMap => paramsMap(plan, 'running-params', at);
