import { Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import { dirname } from 'node:path';
import type { IDaemonSet } from 'kubernetes-models/apps/v1';
import type { IContainer, IVolume, IVolumeMount } from 'kubernetes-models/v1';
import { DAEMON_TLS_SECRET } from '../../operator/model/host.ts';
import { DAEMON_PORTS, DAEMON_SSH_SECRET, INSTALLED, partLabels, partName } from '../names.ts';
import { manifest } from '../object.ts';
import type { Site } from '../schema.ts';

const PART = 'daemon';
/** The original's label: its users select by it, and daemons find each other so. */
const ORIGINAL_LABEL = { app: 'polarstack-daemon' };
const HOST_ROOT = '/host';
const SSH_FILES = '/etc/polardb-stack/ssh';
const TLS_FILES = '/etc/polardb-stack/tls';

/**
 * The daemon, on every host: on the host's network, with its files to look at, and its folders of logs to clean. It is
 * root to ask the container runtime, to see whose a port is, and to delete what other users wrote; and no more than that.
 */
export class DaemonChart extends Chart {
  constructor(scope: Construct, id: string, site: Site) {
    super(scope, id, { disableResourceNameHashes: true });
    const name = partName(PART);
    const labels = { ...INSTALLED, ...partLabels(PART) };
    const daemonSet: IDaemonSet = {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name, namespace: site.systemNamespace, labels },
      spec: {
        selector: { matchLabels: partLabels(PART) },
        // Hosts are alike and none waits for another: a broken release stops at the first tenth of them.
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '10%' } },
        template: {
          metadata: { labels: { ...labels, ...ORIGINAL_LABEL } },
          spec: {
            serviceAccountName: name,
            automountServiceAccountToken: true,
            hostNetwork: true,
            dnsPolicy: 'ClusterFirstWithHostNet',
            priorityClassName: 'system-node-critical',
            terminationGracePeriodSeconds: 30,
            // A host that is cordoned, or not ready, has ports, logs and conditions all the same.
            tolerations: [{ operator: 'Exists' }],
            ...(site.imagePullSecrets.length > 0 && {
              imagePullSecrets: site.imagePullSecrets.map(secret => ({ name: secret })),
            }),
            containers: [container(site)],
            volumes: volumes(site),
          },
        },
      },
    };
    manifest(this, daemonSet);
  }
}

function container(site: Site): IContainer {
  const { health, metrics, api } = DAEMON_PORTS;
  const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  return {
    name: PART,
    image: site.image,
    imagePullPolicy: site.imagePullPolicy,
    args: [PART, ...daemonArgs(site)],
    env: [
      field('CURRENT_NODE_NAME', 'spec.nodeName'),
      field('POD_NAME', 'metadata.name'),
      field('POD_NAMESPACE', 'metadata.namespace'),
    ],
    ports: Object.entries({ health, metrics, api }).map(([name, port]) => ({ name, containerPort: port })),
    livenessProbe: {
      httpGet: { path: '/healthz', port: health },
      periodSeconds: 10,
      timeoutSeconds: 5,
      failureThreshold: 6,
    },
    readinessProbe: {
      httpGet: { path: '/readyz', port: health },
      periodSeconds: 5,
      timeoutSeconds: 2,
      failureThreshold: 3,
    },
    resources: site.daemon.resources,
    securityContext: {
      runAsUser: 0,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      // Delete and compress what others wrote (CHOWN, DAC_OVERRIDE, FOWNER), see what others have open (SYS_PTRACE).
      capabilities: { drop: ['ALL'], add: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'SYS_PTRACE'] },
      seccompProfile: { type: 'RuntimeDefault' },
      // The profiles for containers forbid what it is here for: files of the host, and a look at its processes.
      appArmorProfile: { type: 'Unconfined' },
      seLinuxOptions: { type: 'spc_t' },
    },
    volumeMounts: mounts(site),
  };
}

const daemonArgs = ({ daemon, settingsNamespace }: Site): string[] => [
  `--dbcluster-log-dir=${daemon.logDirectory}`,
  `--ins-folder-overdue-days=${daemon.overdueDays}`,
  `--cri-socket=${daemon.criSocket}`,
  `--settings-namespace=${settingsNamespace}`,
  `--port=${DAEMON_PORTS.api}`,
  `--host-root=${HOST_ROOT}`,
  `--ssh-files=${SSH_FILES}`,
  `--tls-files=${TLS_FILES}`,
  `--health-port=${DAEMON_PORTS.health}`,
  `--metrics-port=${DAEMON_PORTS.metrics}`,
  `--log-level=${daemon.logLevel}`,
];

/** A runtime that starts anew makes a new socket: its folder is mounted, or the daemon would keep the dead one. */
const socketFolder = ({ daemon }: Site): string => dirname(daemon.criSocket);

function volumes(site: Site): IVolume[] {
  const host = (name: string, path: string, type: 'Directory' | 'DirectoryOrCreate'): IVolume => ({
    name,
    hostPath: { path, type },
  });
  // Neither need be there: a site may give no account, and the operator issues the certificate when it runs.
  const secret = (name: string, secretName: string): IVolume => ({
    name,
    secret: { secretName, optional: true, defaultMode: 0o400 },
  });
  return [
    host('proc', '/proc', 'Directory'),
    host('sys', '/sys', 'Directory'),
    host('logs', site.daemon.logDirectory, 'DirectoryOrCreate'),
    host('runtime', socketFolder(site), 'DirectoryOrCreate'),
    secret('ssh', DAEMON_SSH_SECRET),
    secret('tls', DAEMON_TLS_SECRET),
  ];
}

const mounts = (site: Site): IVolumeMount[] => [
  { name: 'proc', mountPath: `${HOST_ROOT}/proc`, readOnly: true },
  { name: 'sys', mountPath: `${HOST_ROOT}/sys`, readOnly: true },
  // What the host mounts there later is seen as what it is: another file system, not an empty folder.
  { name: 'logs', mountPath: site.daemon.logDirectory, mountPropagation: 'HostToContainer' },
  { name: 'runtime', mountPath: socketFolder(site), readOnly: true },
  { name: 'ssh', mountPath: SSH_FILES, readOnly: true },
  { name: 'tls', mountPath: TLS_FILES, readOnly: true },
];
