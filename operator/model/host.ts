import { API_GROUP } from './names.ts';

/** What the daemon publishes of a host. A host is its node's name, never what its kernel calls itself. */

/** Label of every ConfigMap with facts of a host; its value is the job that writes it. */
export const HOST_FACTS_LABEL = `${API_GROUP}/host-facts`;
/** Annotation of such a ConfigMap whose job does not keep it up: since when (RFC 3339), and why. */
export const HOST_FACTS_STALE = `${API_GROUP}/host-facts-stale`;

/** ConfigMap with a key for each port in use (the original's name). */
export const portUsageName = (host: string): string => `cloud-provider-port-usage-${host}`;
/** ConfigMap with the versions whose images are all on the host (the original's name). */
export const versionAvailabilityName = (host: string): string =>
  `polarstack-daemon-version-availability-${host.toLowerCase()}`;
/** ConfigMap with the volumes that the host sees. */
export const hostVolumesName = (host: string): string => `polarstack-daemon-volumes-${host}`;
/** Key of a device, or of a mounted volume, in that ConfigMap; what a key cannot have is written as `_`. */
export const hostVolumeKey = (of: 'device' | 'volume', name: string): string =>
  `${of}.${name}`.replace(/[^-._a-zA-Z0-9]/g, '_');
/** Lease in the system namespace that lets one host after the other pull images. */
export const prePullLease = (slot: number): string => `polardb-stack-pre-pull-${slot}`;
/** ConfigMap with what the newest clean-up of logs did, or would do. */
export const logReportName = (host: string): string => `polarstack-daemon-logs-${host}`;

/** Subject of the certificate that all daemons share; its name is also that of their DaemonSet. */
export const DAEMON_SUBJECT = { part: 'daemon', name: 'polardb-stack-daemon' } as const;
/** Secret with that certificate, in the system namespace; issued and renewed by the operator, mounted by the daemons. */
export const DAEMON_TLS_SECRET = 'polardb-stack-daemon-tls';

/** Conditions of a node that the daemon writes: the original's, and the last two of our own. */
export const HOST_CONDITION = {
  /** True: the message is the address that clients reach this host by. */
  clientIp: 'NodeClientIP',
  /** True: clients cannot reach this host. */
  clientNetworkUnavailable: 'NodeClientNetworkUnavailable',
  /** True: the message is the address of the host's management controller. */
  oobIp: 'NodeOobIP',
  /** Its heartbeat says that the daemon of this host lives. */
  refreshed: 'NodeRefreshFlag',
  /** Do all loops of the daemon do their work? */
  hostReady: 'PolarDBHostReady',
  /** Can every value of the settings be used? */
  settingsValid: 'PolarDBSettingsValid',
} as const;

/** The heartbeat of `refreshed` is written this often, ms. */
export const HOST_HEARTBEAT_MS = 30_000;
/** A host whose heartbeat is older has no facts that count, ms. */
export const HOST_STALE_MS = 90_000;

/** A condition of a node, as far as a sign of life is read from it. */
interface Heartbeat {
  type: string;
  lastHeartbeatTime?: string;
}

/** Since when the daemon of a host is silent, as its last heartbeat says; undefined while it lives, or none ever spoke. */
export function silentSince(conditions: readonly Heartbeat[], now: Date): string | undefined {
  const heard = lastHeard(conditions);
  return heard === undefined || isFresh(heard, now) ? undefined : heard;
}

/** Has a daemon of this host spoken so lately that it lives, or has just been taken away? */
export function hasSpoken(conditions: readonly Heartbeat[], now: Date): boolean {
  const heard = lastHeard(conditions);
  return heard !== undefined && isFresh(heard, now);
}

const lastHeard = (conditions: readonly Heartbeat[]): string | undefined =>
  conditions.find(({ type }) => type === HOST_CONDITION.refreshed)?.lastHeartbeatTime;

const isFresh = (heard: string, now: Date): boolean => now.getTime() - Date.parse(heard) <= HOST_STALE_MS;
