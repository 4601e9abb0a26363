import { join } from 'node:path';
import { addressesOf, nodeAddress, podSubnet, prefixLength, type Addresses } from './addresses.ts';
import { seldomCollected, type MachinePlan, type Program } from './machines.ts';
import { machineDirectory, pathsOf } from './paths.ts';
import type { CertificateRequest } from './pki.ts';

/** The machine that runs the control plane and is the switch between the nodes. */
export const controlPlane = 'control-plane';

/** What a cluster is, written once when it is made. */
export interface ClusterSettings {
  name: string;
  index: number;
  /** Number of nodes; 0: a control plane alone. */
  nodes: number;
  /** Whether a lost node is noticed after 10 s instead of Kubernetes' 50 s. */
  fastNodeLoss: boolean;
}

/** Name of the bridge of the nodes, in the network of the control plane. */
export const bridge = 'switch';

/** Clients of the API server that run on the control plane, by the name of their certificate. */
const clients = ['kube-controller-manager', 'kube-scheduler', 'coredns', 'kube-proxy'] as const;

export function controlPlaneCertificates(settings: ClusterSettings): CertificateRequest[] {
  const addresses = addressesOf(settings.index);
  const service = [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
  ];
  return [
    {
      file: 'kube-apiserver',
      commonName: 'kube-apiserver',
      dns: ['localhost', ...service],
      ips: ['127.0.0.1', addresses.controlPlane, addresses.kubernetesService],
    },
    { file: 'admin', commonName: 'admin', organization: 'system:masters' },
    { file: 'kube-apiserver-kubelet', commonName: 'kube-apiserver-kubelet', organization: 'system:masters' },
    ...clients.map(name => ({ file: name, commonName: `system:${name}` })),
  ];
}

/** Files that the programs of the control plane read, by name. */
export function controlPlaneFiles(settings: ClusterSettings): Record<string, string> {
  const { controlPlane: address } = addressesOf(settings.index);
  return {
    // Every finished request, without bodies: enough to count who asks for what.
    'audit-policy.yaml': `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{ level: Metadata }]
`,
    // The network of the cluster leads nowhere else, so other names are refused at once.
    Corefile: `.:53 {
  bind ${address}
  errors
  ready ${address}:8181
  kubernetes cluster.local in-addr.arpa {
    kubeconfig ${join(machineDirectory(settings.name, controlPlane), 'coredns.kubeconfig')}
    ttl 5
  }
  cache 5
  loadbalance
}
`,
  };
}

export function controlPlanePlan(settings: ClusterSettings, programs: string): MachinePlan {
  const directory = machineDirectory(settings.name, controlPlane);
  const program = (name: string, args: string[], after?: string): Program => {
    const log = join(directory, 'log', `${name}.log`);
    return { name, path: join(programs, name), args, after, log, env: seldomCollected };
  };
  const kubeconfig = (name: string): string => join(directory, `${name}.kubeconfig`);
  const addresses = addressesOf(settings.index);
  const api = '127.0.0.1:6443';
  const onNodes = [
    program('kube-scheduler', [`--kubeconfig=${kubeconfig('kube-scheduler')}`, '--leader-elect=false'], api),
    program('coredns', ['-conf', join(directory, 'Corefile')], api),
  ];
  return {
    setup: network(settings, addresses),
    // It has machines of its own elsewhere. As one among the nodes it took half a second for a request while they were
    // busy, and whoever leads by a Lease lost it.
    cpuWeight: 8,
    programs: [
      program('etcd', etcdArgs(directory)),
      program('kube-apiserver', apiServerArgs(settings, addresses, directory), '127.0.0.1:2379'),
      program('kube-controller-manager', managerArgs(settings, addresses, kubeconfig('kube-controller-manager')), api),
      ...(settings.nodes > 0 ? onNodes : []),
    ],
  };
}

function network(settings: ClusterSettings, { controlPlane: address }: Addresses): string[][] {
  const ip = (command: string): string[] => ['ip', ...command.split(' ')];
  return [
    ip('link set lo up'),
    ip(`link add ${bridge} type bridge`),
    ip(`address add ${address}/${prefixLength} dev ${bridge}`),
    ip(`link set ${bridge} up`),
    ...podRoutes(settings).map(route => ip(`route add ${route}`)),
  ];
}

/** Routes to the pods of all nodes but the one given. */
export function podRoutes({ index, nodes }: ClusterSettings, except?: number): string[] {
  const numbers = Array.from({ length: nodes }, (_, i) => i + 1).filter(n => n !== except);
  return numbers.map(n => `${podSubnet(index, n)} via ${nodeAddress(index, n)}`);
}

/** Without fsync: what a killed process wrote survives, only a crash of the whole machine can lose it. */
function etcdArgs(directory: string): string[] {
  return [
    `--data-dir=${join(directory, 'etcd')}`,
    '--listen-client-urls=http://127.0.0.1:2379',
    '--advertise-client-urls=http://127.0.0.1:2379',
    '--listen-peer-urls=http://127.0.0.1:2380',
    '--unsafe-no-fsync',
    '--log-level=warn',
  ];
}

function apiServerArgs(settings: ClusterSettings, addresses: Addresses, directory: string): string[] {
  const { pki, auditLog } = pathsOf(settings.name);
  const file = (name: string): string => join(pki, name);
  return [
    `--advertise-address=${addresses.controlPlane}`,
    '--secure-port=6443',
    '--etcd-servers=http://127.0.0.1:2379',
    `--service-cluster-ip-range=${addresses.services}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged=true',
    `--client-ca-file=${file('ca.crt')}`,
    `--tls-cert-file=${file('kube-apiserver.crt')}`,
    `--tls-private-key-file=${file('kube-apiserver.key')}`,
    `--kubelet-certificate-authority=${file('ca.crt')}`,
    `--kubelet-client-certificate=${file('kube-apiserver-kubelet.crt')}`,
    `--kubelet-client-key=${file('kube-apiserver-kubelet.key')}`,
    '--kubelet-preferred-address-types=InternalIP',
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${file('service-accounts.pub')}`,
    `--service-account-signing-key-file=${file('service-accounts.key')}`,
    `--audit-policy-file=${join(directory, 'audit-policy.yaml')}`,
    `--audit-log-path=${auditLog}`,
    '--audit-log-maxsize=1000',
    '--audit-log-maxbackup=1',
  ];
}

function managerArgs(settings: ClusterSettings, addresses: Addresses, kubeconfig: string): string[] {
  const { pki } = pathsOf(settings.name);
  return [
    `--kubeconfig=${kubeconfig}`,
    '--leader-elect=false',
    '--use-service-account-credentials',
    `--root-ca-file=${join(pki, 'ca.crt')}`,
    `--service-account-private-key-file=${join(pki, 'service-accounts.key')}`,
    `--cluster-signing-cert-file=${join(pki, 'ca.crt')}`,
    `--cluster-signing-key-file=${join(pki, 'ca.key')}`,
    `--cluster-cidr=${addresses.pods}`,
    ...(settings.fastNodeLoss ? ['--node-monitor-grace-period=10s', '--node-monitor-period=1s'] : []),
  ];
}
