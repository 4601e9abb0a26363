import { ApiObject, Duration, JsonPatch, type Chart } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import { INSTALLED, PART_PORTS, partLabels, partName } from '../names.ts';
import type { Site } from '../schema.ts';

/** User of our parts; no image needs to know it. */
const USER = 65532;

export interface PartDeployment {
  /** `operator`; the first word that the program is told, too. */
  part: string;
  replicas: number;
  resources: Site['operator']['resources'];
  /** What the program is told beside its part. */
  args: readonly string[];
  /** Does it serve an API over HTTPS? */
  hasApi?: boolean;
  /** Pods of lower priority make room for it where a node is full. Absent: the usual priority. */
  priorityClass?: string;
}

/**
 * A part of ours with several replicas, one of which leads while the others are warm. No PodDisruptionBudget: databases
 * outlive a moment without any of them, and kubectl reports every budget as changed at each apply (its selector is
 * always patched).
 */
export function partDeployment(chart: Chart, site: Site, of: PartDeployment): void {
  const { part, replicas } = of;
  const name = partName(part);
  const deployment = new kplus.Deployment(chart, part, {
    metadata: { name, labels: { ...INSTALLED, ...partLabels(part) } },
    replicas,
    // All may be away for a moment, but a new release never waits for room for one more.
    strategy: kplus.DeploymentStrategy.rollingUpdate({
      maxSurge: kplus.PercentOrAbsolute.absolute(1),
      maxUnavailable: kplus.PercentOrAbsolute.absolute(1),
    }),
    serviceAccount: kplus.ServiceAccount.fromServiceAccountName(chart, `${part}-account`, name),
    automountServiceAccountToken: true,
    podMetadata: { labels: { ...INSTALLED, ...partLabels(part) } },
    securityContext: { ensureNonRoot: true, user: USER, group: USER },
    select: false,
    containers: [container(site, of)],
  });
  // A selector of our own: the default one holds a hash of construct ids, and selectors can never be changed.
  deployment.select(kplus.LabelSelector.of({ labels: partLabels(part) }));
  ApiObject.of(deployment).addJsonPatch(...patches(site, of));
}

const PULL_POLICIES: Readonly<Record<Site['imagePullPolicy'], kplus.ImagePullPolicy>> = {
  Always: kplus.ImagePullPolicy.ALWAYS,
  IfNotPresent: kplus.ImagePullPolicy.IF_NOT_PRESENT,
  Never: kplus.ImagePullPolicy.NEVER,
};

function container(site: Site, { part, args, hasApi }: PartDeployment): kplus.ContainerProps {
  const probe = (path: string, options: { period: number; limit: number; failures: number }) =>
    kplus.Probe.fromHttpGet(path, {
      port: PART_PORTS.health,
      periodSeconds: Duration.seconds(options.period),
      timeoutSeconds: Duration.seconds(options.limit),
      failureThreshold: options.failures,
    });
  return {
    name: part,
    image: site.image,
    imagePullPolicy: PULL_POLICIES[site.imagePullPolicy],
    args: [part, ...args],
    envVariables: {
      POD_NAME: kplus.EnvValue.fromFieldRef(kplus.EnvFieldPaths.POD_NAME),
      POD_NAMESPACE: kplus.EnvValue.fromFieldRef(kplus.EnvFieldPaths.POD_NAMESPACE),
    },
    ports: [
      { name: 'health', number: PART_PORTS.health },
      { name: 'metrics', number: PART_PORTS.metrics },
      ...(hasApi ? [{ name: 'api', number: PART_PORTS.api }] : []),
    ],
    // A host that is so busy that a program answers late gets busier by starting it anew: only one that hangs is killed.
    liveness: probe('/healthz', { period: 10, limit: 5, failures: 6 }),
    // A first start is Available seconds earlier than by Kubernetes' period of 10 s.
    readiness: probe('/readyz', { period: 2, limit: 2, failures: 3 }),
    resources: {},
    securityContext: {
      ensureNonRoot: true,
      user: USER,
      group: USER,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: [kplus.Capability.ALL] },
      seccompProfile: { type: kplus.SeccompProfileType.RUNTIME_DEFAULT },
    },
  };
}

type Amounts = Partial<Record<'cpu' | 'memory', string>>;
/** The schema behind cdk8s-plus wants quantities as objects, or drops them. */
const quantities = (amounts: Amounts): Record<string, { value: string }> =>
  Object.fromEntries(Object.entries(amounts).map(([name, value]) => [name, { value }]));

const POD = '/spec/template/spec';

/** What cdk8s-plus has no words for. A patch that its schema does not know is dropped in silence, so a test looks at each. */
function patches(site: Site, { part, resources, priorityClass }: PartDeployment): JsonPatch[] {
  const { limits, requests } = resources;
  const names = site.imagePullSecrets.map(name => ({ name }));
  return [
    // Zero values that the API server does not store: each apply would find them missing and report a change.
    JsonPatch.remove('/spec/minReadySeconds'),
    JsonPatch.remove(`${POD}/hostNetwork`),
    // A hash of construct ids that nothing selects by.
    JsonPatch.remove('/spec/template/metadata/labels/cdk8s.io~1metadata.addr'),
    JsonPatch.add(`${POD}/containers/0/resources`, { limits: quantities(limits), requests: quantities(requests) }),
    JsonPatch.add(`${POD}/securityContext/seccompProfile`, { type: 'RuntimeDefault' }),
    // Preferred, not required: one node is enough to run.
    JsonPatch.add(`${POD}/topologySpreadConstraints`, [
      {
        maxSkew: 1,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: partLabels(part) },
      },
    ]),
    ...(priorityClass === undefined ? [] : [JsonPatch.add(`${POD}/priorityClassName`, priorityClass)]),
    ...(names.length > 0 ? [JsonPatch.add(`${POD}/imagePullSecrets`, names)] : []),
  ];
}
