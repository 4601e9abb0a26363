import type { ConfigMap, Node } from '../../kube/resources.ts';
import {
  HOST_CONDITION,
  HOST_FACTS_LABEL,
  hostVolumesName,
  portUsageName,
  versionAvailabilityName,
} from '../../model/host.ts';
import { hostView, type HostCondition, type HostView } from '../gather/hosts.ts';

/** Test only: what a daemon and the node of a host say. */
export interface ToldHost {
  /** Heartbeat of the daemon; absent: there is none. */
  heard?: Date;
  isCutOff?: boolean;
  /** Reason of being cut off. @default StateDown */
  why?: string;
  clientIp?: string;
  ports?: readonly number[];
  versions?: readonly string[];
  /** Values of `device.<name>` and `volume.<name>`. */
  volumes?: Readonly<Record<string, object>>;
  node?: Node['spec'];
  labels?: Record<string, string>;
}

export function nodeOf(name: string, told: ToldHost = {}): Node {
  const at = (told.heard ?? new Date(0)).toISOString().replace(/\.\d+Z$/, 'Z');
  const say = (type: string, status: 'True' | 'False', reason: string, message: string): HostCondition => {
    return { type, status, reason, message, lastHeartbeatTime: at, lastTransitionTime: at };
  };
  const { clientIp, isCutOff } = told;
  const conditions = [
    ...(told.heard ? [say(HOST_CONDITION.refreshed, 'True', 'Refresh', 'Refresh')] : []),
    ...(clientIp === undefined ? [] : [say(HOST_CONDITION.clientIp, 'True', 'bond1', clientIp)]),
    ...(isCutOff === undefined ? [] : [say(...linkCondition(isCutOff, told.why))]),
  ];
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, ...(told.labels && { labels: told.labels }) },
    ...(told.node && { spec: told.node }),
    status: { conditions },
  };
}

function linkCondition(isCutOff: boolean, why = 'StateDown'): [string, 'True' | 'False', string, string] {
  const reason = isCutOff ? why : 'StateUP';
  return [HOST_CONDITION.clientNetworkUnavailable, isCutOff ? 'True' : 'False', reason, `bond1 ${reason}`];
}

export function portMap(host: string, ports: readonly number[], namespace: string): ConfigMap {
  const metadata = { namespace, name: portUsageName(host), labels: { [HOST_FACTS_LABEL]: 'ports' } };
  const data = Object.fromEntries(ports.map(port => [port, 'the port already use']));
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
}

export function versionMap(host: string, versions: readonly string[], namespace: string): ConfigMap {
  const metadata = { namespace, name: versionAvailabilityName(host), labels: { [HOST_FACTS_LABEL]: 'versions' } };
  const data = { existingVersions: versions.join(','), checkTime: '2026-01-01T00:00:00Z' };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
}

export function volumesMap(host: string, volumes: NonNullable<ToldHost['volumes']>, namespace: string): ConfigMap {
  const metadata = { namespace, name: hostVolumesName(host), labels: { [HOST_FACTS_LABEL]: 'volumes' } };
  const data = Object.fromEntries(Object.entries(volumes).map(([key, value]) => [key, JSON.stringify(value)]));
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
}

export function hostOf(name: string, told: ToldHost = {}): HostView {
  const { ports, versions, volumes } = told;
  return hostView(nodeOf(name, told), {
    ...(ports && { ports: portMap(name, ports, '') }),
    ...(versions && { versions: versionMap(name, versions, '') }),
    ...(volumes && { volumes: volumesMap(name, volumes, '') }),
  });
}
