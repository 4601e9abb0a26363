import { Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import type { Site } from '../schema.ts';
import { partDeployment } from './part-deployment.ts';

/** The operator. Databases do not depend on it for a moment. */
export class OperatorChart extends Chart {
  constructor(scope: Construct, id: string, site: Site) {
    super(scope, id, { disableResourceNameHashes: true, namespace: site.systemNamespace });
    const { replicas, resources } = site.operator;
    partDeployment(this, site, { part: 'operator', replicas, resources, args: operatorArgs(site) });
  }
}

/** What the program is told; all else it reads from the settings maps. */
const operatorArgs = (site: Site): string[] => [
  `--image=${site.image}`,
  `--image-pull-policy=${site.imagePullPolicy}`,
  `--settings-namespace=${site.settingsNamespace}`,
  ...(site.watchNamespaces.length > 0 ? [`--watch-namespaces=${site.watchNamespaces.join(',')}`] : []),
  `--log-level=${site.operator.logLevel}`,
];
