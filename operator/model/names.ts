/** Names of everything that belongs to a cluster. One place, so that a search for a name in a cluster finds its maker. */

/** API group of both kinds and prefix of our own labels and annotations (the original's group). */
export const API_GROUP = 'mpd.polardb.aliyun.com';
export const API_VERSION = 'v1';

/** Finalizer of MPDCluster, the original's. */
export const CLUSTER_FINALIZER = 'mpd.finalizers.polardb.aliyun.com';
/** Finalizer of engine pods: goes only with evidence that the engine is stopped (protocol, ladder rung 2). */
export const POD_FINALIZER = `${API_GROUP}/engine-stopped`;

/** Secret with the certificate authority, in the system namespace. */
export const CA_SECRET = 'polardb-stack-ca';
/** Secret with the cluster manager's certificate, in the system namespace; issued and renewed by the operator. */
export const CLUSTER_MANAGER_TLS_SECRET = 'polardb-stack-cluster-manager-tls';

/** Lease that records who is RW of a group (protocol, Record). */
export const recordName = (group: string): string => `${group}-primary`;

/** Engine pod; the original's form `<cluster>-<physical id>-<instance id>`. */
export const podName = (cluster: string, physicalId: string, instanceId: string): string =>
  `${cluster}-${physicalId}-${instanceId}`;
/** Claim of an instance's own volume (`dbClusterType: local`). */
export const dataClaimName = (cluster: string, instanceId: string): string => `${cluster}-${instanceId}-data`;
/** Secret with certificate and key of one instance. */
export const instanceTlsSecret = (cluster: string, instanceId: string): string => `${cluster}-${instanceId}-tls`;
/** Secret of a system account; the original's form, keys `Account`, `Password`, `Priviledge_type` (sic). */
export const accountSecret = (cluster: string, logicId: string, account: string): string =>
  `${cluster}-${logicId}-${account}`;
/** Secret for applications: `username`, `password`, `dbname`, `host`, `port`, `uri`. */
export const appSecret = (cluster: string): string => `${cluster}-app`;

export const rwService = (cluster: string): string => `${cluster}-rw`;
/** Name under which clients and members know the RW; in every instance's certificate. */
export const rwHost = ({ name, namespace }: { name: string; namespace: string }): string =>
  `${rwService(name)}.${namespace}.svc`;
/** Names by which DNS knows a Service beside its bare one. */
export const dnsNames = (service: string, namespace: string): string[] => [
  `${service}.${namespace}`,
  `${service}.${namespace}.svc`,
  `${service}.${namespace}.svc.cluster.local`,
];
export const roService = (cluster: string): string => `${cluster}-ro`;
/** Service account, Role and RoleBinding of a cluster's pods: they may read their own record and nothing else. */
export const engineServiceAccount = (cluster: string): string => `${cluster}-engine`;
export const roDisruptionBudget = (cluster: string): string => `${cluster}-ro`;
export const rwDisruptionBudget = (cluster: string): string => `${cluster}-rw`;
/** ConfigMap with the newest switches of the RW. */
export const switchLog = (cluster: string): string => `${cluster}-switch-log`;
/** Desired and running engine parameters, the original's names. */
export const userParams = (cluster: string): string => `${cluster}-user-params`;
export const runningParams = (cluster: string): string => `${cluster}-running-params`;
