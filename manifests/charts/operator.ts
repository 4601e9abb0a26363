import { ApiObject, Chart, Duration, JsonPatch } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import { INSTALLED, OPERATOR_PORTS, partLabels, partName } from '../names.ts';
import type { Site } from '../schema.ts';

/** User of our parts; no image needs to know it. */
const USER = 65532;

/**
 * The operator: two replicas, one of them leads, the other is warm. No PodDisruptionBudget: databases do not depend on
 * the operator for a moment, and kubectl reports every budget as changed at each apply (its selector is always patched).
 */
export class OperatorChart extends Chart {
  constructor(scope: Construct, id: string, site: Site) {
    super(scope, id, { disableResourceNameHashes: true, namespace: site.systemNamespace });
    const name = partName('operator');
    const deployment = new kplus.Deployment(this, 'operator', {
      metadata: { name, labels: { ...INSTALLED, ...partLabels('operator') } },
      replicas: site.operator.replicas,
      // Both may be away for a moment, but a new release never waits for room for a third.
      strategy: kplus.DeploymentStrategy.rollingUpdate({
        maxSurge: kplus.PercentOrAbsolute.absolute(1),
        maxUnavailable: kplus.PercentOrAbsolute.absolute(1),
      }),
      serviceAccount: kplus.ServiceAccount.fromServiceAccountName(this, 'account', name),
      automountServiceAccountToken: true,
      podMetadata: { labels: { ...INSTALLED, ...partLabels('operator') } },
      securityContext: { ensureNonRoot: true, user: USER, group: USER },
      select: false,
      containers: [operatorContainer(site)],
    });
    // A selector of our own: the default one holds a hash of construct ids, and selectors can never be changed.
    deployment.select(kplus.LabelSelector.of({ labels: partLabels('operator') }));
    ApiObject.of(deployment).addJsonPatch(...patches(site));
  }
}

const PULL_POLICIES: Readonly<Record<Site['imagePullPolicy'], kplus.ImagePullPolicy>> = {
  Always: kplus.ImagePullPolicy.ALWAYS,
  IfNotPresent: kplus.ImagePullPolicy.IF_NOT_PRESENT,
  Never: kplus.ImagePullPolicy.NEVER,
};

function operatorContainer(site: Site): kplus.ContainerProps {
  // A first start is Available seconds earlier than by Kubernetes' period of 10 s.
  const probe = (path: string, seconds: number) =>
    kplus.Probe.fromHttpGet(path, { port: OPERATOR_PORTS.health, periodSeconds: Duration.seconds(seconds) });
  return {
    name: 'operator',
    image: site.image,
    imagePullPolicy: PULL_POLICIES[site.imagePullPolicy],
    args: operatorArgs(site),
    envVariables: {
      POD_NAME: kplus.EnvValue.fromFieldRef(kplus.EnvFieldPaths.POD_NAME),
      POD_NAMESPACE: kplus.EnvValue.fromFieldRef(kplus.EnvFieldPaths.POD_NAMESPACE),
    },
    ports: [
      { name: 'health', number: OPERATOR_PORTS.health },
      { name: 'metrics', number: OPERATOR_PORTS.metrics },
    ],
    liveness: probe('/healthz', 10),
    readiness: probe('/readyz', 2),
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

/** What the program is told; all else it reads from the settings maps. */
const operatorArgs = (site: Site): string[] => [
  'operator',
  `--image=${site.image}`,
  `--image-pull-policy=${site.imagePullPolicy}`,
  `--settings-namespace=${site.settingsNamespace}`,
  ...(site.watchNamespaces.length > 0 ? [`--watch-namespaces=${site.watchNamespaces.join(',')}`] : []),
  `--log-level=${site.operator.logLevel}`,
];

type Amounts = Partial<Record<'cpu' | 'memory', string>>;
/** The schema behind cdk8s-plus wants quantities as objects, or drops them. */
const quantities = (amounts: Amounts): Record<string, { value: string }> =>
  Object.fromEntries(Object.entries(amounts).map(([name, value]) => [name, { value }]));

const POD = '/spec/template/spec';

/** What cdk8s-plus has no words for. A patch that its schema does not know is dropped in silence, so a test looks at each. */
function patches(site: Site): JsonPatch[] {
  const { limits, requests } = site.operator.resources;
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
        labelSelector: { matchLabels: partLabels('operator') },
      },
    ]),
    ...(names.length > 0 ? [JsonPatch.add(`${POD}/imagePullSecrets`, names)] : []),
  ];
}
