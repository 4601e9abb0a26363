/** Where the host's own files are seen from inside the pod. */
export interface HostPaths {
  /** The host's `/proc`. */
  proc: string;
  /** The host's `/sys`. */
  sys: string;
  /** Folders of instances, `<logRoot>/<instance id>/{data,log}`. */
  logRoot: string;
  /** Socket of the container runtime (CRI). */
  criSocket: string;
}

/** Files of the account for host commands, mounted from a Secret. */
export interface SshFiles {
  /** Private key. Absent on a site that gave none: host commands are off then. */
  key: string;
  /** Known keys of hosts, in the form of OpenSSH's `known_hosts`. */
  knownHosts: string;
}

/** What this process is told at its start; what may change while it runs is in DaemonSettings. */
export interface DaemonConfig {
  /** Name of this host's node. */
  host: string;
  /** Namespace of the settings, and of the ConfigMaps with facts. */
  settingsNamespace: string;
  systemNamespace: string;
  podName: string;
  paths: HostPaths;
  ssh: SshFiles;
  /** Where the Secret with the certificate of the daemons is mounted. */
  tlsDirectory: string;
  /** Port of the API. */
  apiPort: number;
  /** Files and folders that nothing needs go after so many days. */
  overdueDays: number;
  /** Which pods are daemons. */
  podLabels: string;
  /** Name of the ConfigMap with the port ranges. */
  portsMap: string;
  /** Which ConfigMaps are version maps. */
  versionLabels: string;
}
