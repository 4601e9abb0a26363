import type { Pod } from '../../kube/resources.ts';
import { LABEL, ORIGINAL_LABEL, roleLabel } from '../../model/labels.ts';
import {
  accountSecret,
  dataClaimName,
  engineServiceAccount,
  instanceTlsSecret,
  POD_FINALIZER,
} from '../../model/names.ts';
import { affinity, ANY_HOST, EXCLUDED_HOSTS, excludedHosts, type HostChoice } from './affinity.ts';
import { buildAgentConfig, PATHS } from './agent-config.ts';
import type { ClusterPlan } from '../plan.ts';
import type { ClusterInstance } from '../../kinds/instances.ts';
import { instanceMeta } from './meta.ts';

type PodSpec = NonNullable<Pod['spec']>;
type Container = PodSpec['containers'][number];
type Volume = NonNullable<PodSpec['volumes']>[number];

/** Where our image keeps the tree that the engine container runs from. */
const STACK = '/polardb-stack';
/**
 * Heap limits of the agent: it shares the engine's memory limit, so it must stay small (design, parts that run). No flag of
 * V8 that changes code: Node.js would have to compile its own modules anew at each start, which is half of the start's work.
 * It trusts our authority alone: the roots of the web, which Node.js would read at each start, are of no use to it.
 */
const NODE_FLAGS = ['--max-old-space-size=48', '--max-semi-space-size=1', '--use-openssl-ca'];

/**
 * The pod of one instance. A bare pod: its name is the identity that users know, and only the finalizer, which goes with
 * proof that the engine is stopped, may let a twin take its place.
 */
export function buildPod(plan: ClusterPlan, instance: ClusterInstance, hosts: HostChoice = ANY_HOST): Pod {
  const metadata = instanceMeta(plan, instance.podName, instance);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, ...originalLabels(plan, instance) },
      ...(hosts.excluded.length > 0 && { annotations: { [EXCLUDED_HOSTS]: excludedHosts(hosts) } }),
      finalizers: [POD_FINALIZER],
    },
    spec: {
      ...placement(plan, hosts),
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 60,
      serviceAccountName: engineServiceAccount(plan.name),
      automountServiceAccountToken: true,
      enableServiceLinks: false,
      securityContext: podSecurity(plan),
      initContainers: [installContainer(plan)],
      containers: [engineContainer(plan, instance)],
      volumes: volumes(plan, instance),
    },
  };
}

function originalLabels(plan: ClusterPlan, instance: ClusterInstance): Record<string, string> {
  return {
    [LABEL.component]: 'engine',
    [ORIGINAL_LABEL.role]: roleLabel(instance.role),
    [ORIGINAL_LABEL.clusterName]: plan.name,
    [ORIGINAL_LABEL.dbType]: plan.engine,
    [ORIGINAL_LABEL.logicName]: plan.name,
    [ORIGINAL_LABEL.logicId]: plan.logicId,
    [ORIGINAL_LABEL.physicalName]: instance.physicalId,
    [ORIGINAL_LABEL.physicalId]: instance.physicalId,
    [ORIGINAL_LABEL.instanceId]: instance.id,
    [ORIGINAL_LABEL.port]: String(instance.ports.engine),
  };
}

/** They stay bound to a host that is away: only proof lets anybody replace them. */
function placement(plan: ClusterPlan, hosts: HostChoice): Partial<PodSpec> {
  const away = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];
  return {
    hostNetwork: plan.hostNetwork,
    dnsPolicy: plan.hostNetwork ? 'ClusterFirstWithHostNet' : 'ClusterFirst',
    tolerations: away.map(key => ({ key, operator: 'Exists', effect: 'NoExecute' })),
    affinity: affinity(plan, hosts),
  };
}

/** `OnRootMismatch`: a recursive change would make the data directory group-writable, which the engine refuses. */
function podSecurity(plan: ClusterPlan): PodSpec['securityContext'] {
  return {
    runAsNonRoot: true,
    ...(plan.runAs && { runAsUser: plan.runAs.user, runAsGroup: plan.runAs.group, fsGroup: plan.runAs.group }),
    fsGroupChangePolicy: 'OnRootMismatch',
    seccompProfile: { type: 'RuntimeDefault' },
  };
}

const CONTAINER_SECURITY = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};

function installContainer(plan: ClusterPlan): Container {
  return {
    name: 'install-agent',
    image: plan.images.stack,
    imagePullPolicy: plan.images.pullPolicy,
    // The static helper, not Node.js: a pod starts a second earlier on a busy host. Other parts are not for this place.
    // It runs again over what is there when the pod gets another sandbox, as after a restart of its host.
    workingDir: STACK,
    command: [`${STACK}/bin/busybox`, 'cp', '-rf', '--parents', 'bin', 'runtime', 'program/agent.mjs', '/target'],
    resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '256Mi' } },
    securityContext: CONTAINER_SECURITY,
    volumeMounts: [{ name: 'stack', mountPath: '/target' }],
  };
}

function engineContainer(plan: ClusterPlan, instance: ClusterInstance): Container {
  const loader = `${STACK}/runtime/lib/ld-linux-x86-64.so.2`;
  const { ports } = instance;
  return {
    name: 'engine',
    image: plan.images.engine,
    imagePullPolicy: plan.images.pullPolicy,
    command: [`${STACK}/bin/tini`, '-s', '--', loader, '--library-path', `${STACK}/runtime/lib`],
    args: [`${STACK}/runtime/node`, ...NODE_FLAGS, `${STACK}/program/agent.mjs`],
    env: [
      { name: 'POLARDB_STACK_AGENT', value: JSON.stringify(buildAgentConfig(plan, instance)) },
      { name: 'POD_UID', valueFrom: { fieldRef: { fieldPath: 'metadata.uid' } } },
      { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      // An arena per thread costs the agent memory and gains it nothing. (The engine gets an environment of its own.)
      { name: 'MALLOC_ARENA_MAX', value: '1' },
    ],
    ports: [
      { name: 'postgresql', containerPort: ports.engine },
      { name: 'agent', containerPort: ports.agent },
      { name: 'health', containerPort: ports.health },
    ],
    resources: { limits: plan.resources.limits, requests: plan.resources.requests },
    securityContext: CONTAINER_SECURITY,
    ...probes(ports.health),
    volumeMounts: mounts(plan),
  };
}

/**
 * Liveness asks the agent alone: an engine that does not answer SQL is the agent's to heal, never a reason to kill it.
 * Readiness is answered as soon as there is a yes (agent/readiness.ts holds a first no back for 4 s).
 */
function probes(port: number): Partial<Container> {
  const get = (path: string) => ({ httpGet: { path, port, scheme: 'HTTP' as const } });
  return {
    startupProbe: { ...get('/startupz'), periodSeconds: 1, timeoutSeconds: 2, failureThreshold: 60 },
    livenessProbe: { ...get('/livez'), periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
    readinessProbe: { ...get('/readyz'), periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 2 },
  };
}

function mounts(plan: ClusterPlan): Container['volumeMounts'] {
  return [
    { name: 'stack', mountPath: STACK, readOnly: true },
    { name: 'data', mountPath: PATHS.data },
    ...(plan.volume.kind === 'shared' ? [{ name: 'shared', mountPath: PATHS.shared }] : []),
    { name: 'run', mountPath: PATHS.run },
    { name: 'tmp', mountPath: '/tmp' },
    { name: 'shm', mountPath: '/dev/shm' },
    { name: 'tls', mountPath: PATHS.tls, readOnly: true },
    { name: 'replicator', mountPath: PATHS.replicator, readOnly: true },
  ];
}

function volumes(plan: ClusterPlan, instance: ClusterInstance): Volume[] {
  const own = { persistentVolumeClaim: { claimName: dataClaimName(plan.name, instance.id) } };
  const secret = (name: string): Omit<Volume, 'name'> => ({ secret: { secretName: name, defaultMode: 0o440 } });
  return [
    { name: 'stack', emptyDir: {} },
    plan.volume.kind === 'own' ? { name: 'data', ...own } : { name: 'data', emptyDir: {} },
    ...(plan.volume.kind === 'shared'
      ? [{ name: 'shared', persistentVolumeClaim: { claimName: plan.volume.claimName } }]
      : []),
    { name: 'run', emptyDir: { medium: 'Memory', sizeLimit: '16Mi' } },
    { name: 'tmp', emptyDir: {} },
    { name: 'shm', emptyDir: { medium: 'Memory' } },
    { name: 'tls', ...secret(instanceTlsSecret(plan.name, instance.id)) },
    { name: 'replicator', ...secret(accountSecret(plan.name, plan.logicId, 'replicator')) },
  ];
}
