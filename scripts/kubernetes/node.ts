import { join } from 'node:path';
import { stringify } from 'yaml';
import { addressesOf, nodeAddress, podSubnet } from './addresses.ts';
import { machineCgroup } from './cgroups.ts';
import type { ClusterSettings } from './control-plane.ts';
import { seldomCollected, type MachinePlan } from './machines.ts';
import { machineDirectory, pathsOf } from './paths.ts';
import type { CertificateRequest } from './pki.ts';

/** Name of node `n`, counted from 1. */
export const nodeName = (n: number): string => `node-${n}`;

/** Where a node sees the directories of its local volumes. */
export const volumesInNode = '/mnt/volumes';

/** Directories of a node on the disk of its host; all else that a node writes stays in memory. */
const disks = {
  kubernetes: '/etc/kubernetes',
  cni: '/etc/cni/net.d',
  kubelet: '/var/lib/kubelet',
  containerd: '/var/lib/containerd',
  log: '/var/log',
  volumes: volumesInNode,
} as const;

export const nodeDisks = Object.keys(disks);

export function nodeCertificate({ index }: ClusterSettings, n: number): CertificateRequest {
  const name = nodeName(n);
  const commonName = `system:node:${name}`;
  return { file: name, commonName, organization: 'system:nodes', dns: [name], ips: [nodeAddress(index, n)] };
}

interface NodeFacts {
  programs: string;
  pauseImage: string;
  /** Whether runc may lower the OOM score of a process here (CAP_SYS_RESOURCE). */
  mayLowerOomScore: boolean;
}

/** Files of a node, by their path below its directory. */
export function nodeFiles(settings: ClusterSettings, n: number, facts: NodeFacts): Record<string, string> {
  return {
    'kubernetes/containerd.toml': containerdConfig(facts),
    'kubernetes/kubelet.yaml': stringify(kubeletConfig(settings, n)),
    'kubernetes/kube-proxy.yaml': stringify(proxyConfig(settings, n)),
    'cni/10-pods.conflist': JSON.stringify(podNetwork(settings, n), undefined, 2),
  };
}

export function nodePlan(settings: ClusterSettings, n: number, { programs }: NodeFacts): MachinePlan {
  const directory = machineDirectory(settings.name, nodeName(n));
  const log = (name: string): string => join(directory, 'log', `${name}.log`);
  const same = (path: string): { source: string; target: string } => ({ source: path, target: path });
  return {
    setup: [
      ['ip', 'link', 'set', 'lo', 'up'],
      ['sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward'],
    ],
    root: {
      binds: [
        same(directory),
        same(pathsOf(settings.name).shared),
        same(programs),
        ...Object.entries(disks).map(([source, target]) => ({ source: join(directory, source), target })),
      ],
    },
    programs: [
      {
        name: 'containerd',
        path: '/usr/bin/containerd',
        args: ['--config=/etc/kubernetes/containerd.toml'],
        log: log('containerd'),
        env: seldomCollected,
      },
      {
        name: 'kubelet',
        path: join(programs, 'kubelet'),
        args: [
          '--config=/etc/kubernetes/kubelet.yaml',
          '--kubeconfig=/etc/kubernetes/kubelet.kubeconfig',
          `--hostname-override=${nodeName(n)}`,
          `--node-ip=${nodeAddress(settings.index, n)}`,
        ],
        log: log('kubelet'),
        env: seldomCollected,
        // containerd serves streams of pods here as soon as it takes requests.
        after: '127.0.0.1:10010',
      },
      {
        name: 'kube-proxy',
        path: join(programs, 'kube-proxy'),
        args: ['--config=/etc/kubernetes/kube-proxy.yaml'],
        log: log('kube-proxy'),
        env: seldomCollected,
      },
    ],
  };
}

function containerdConfig({ pauseImage, mayLowerOomScore }: NodeFacts): string {
  return `version = 2
disabled_plugins = [
  "io.containerd.internal.v1.opt",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
  "io.containerd.tracing.processor.v1.otlp",
]

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  restrict_oom_score_adj = ${!mayLowerOomScore}
  stream_server_address = "127.0.0.1"
  stream_server_port = "10010"

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "/etc/cni/net.d"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = false
`;
}

/** Nodes of one machine share its disk, so none of them may evict pods or images because it fills. */
function kubeletConfig(settings: ClusterSettings, n: number): object {
  const credentials = (suffix: string): string => `/etc/kubernetes/kubelet.${suffix}`;
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: '/etc/kubernetes/ca.crt' },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: credentials('crt'),
    tlsPrivateKeyFile: credentials('key'),
    containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    cgroupDriver: 'cgroupfs',
    cgroupRoot: machineCgroup(settings.name, nodeName(n)),
    clusterDNS: [addressesOf(settings.index).dns],
    clusterDomain: 'cluster.local',
    // Names of the world outside are of no use in a network that ends at the machine.
    resolvConf: '',
    failSwapOn: false,
    failCgroupV1: false,
    evictionHard: {
      'memory.available': '0%',
      'nodefs.available': '0%',
      'nodefs.inodesFree': '0%',
      'imagefs.available': '0%',
      'imagefs.inodesFree': '0%',
    },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    serializeImagePulls: false,
    ...(settings.fastNodeLoss ? { nodeStatusUpdateFrequency: '2s', nodeLeaseDurationSeconds: 10 } : {}),
  };
}

/** The kernel's table of connections belongs to the whole machine: the limits stay as they are. */
function proxyConfig(settings: ClusterSettings, n: number): object {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    hostnameOverride: nodeName(n),
    clientConnection: { kubeconfig: '/etc/kubernetes/kube-proxy.kubeconfig' },
    clusterCIDR: addressesOf(settings.index).pods,
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    nftables: { minSyncPeriod: '100ms' },
  };
}

/**
 * A routed link per pod, no bridge: between two pods of one node a bridge would need br_netfilter,
 * or answers of Services would miss their address translation.
 */
function podNetwork(settings: ClusterSettings, n: number): object {
  const subnet = podSubnet(settings.index, n);
  return {
    cniVersion: '0.4.0',
    name: 'pods',
    plugins: [
      { type: 'ptp', ipam: { type: 'host-local', ranges: [[{ subnet }]], routes: [{ dst: '0.0.0.0/0' }] } },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}
