import { Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import type { Site } from '../schema.ts';
import { partDeployment } from './part-deployment.ts';

/**
 * The cluster manager. The standby hears all members too, so that it acts as soon as it leads. A node that is full makes
 * room for it: a failover cannot wait for a place to run.
 */
export class ClusterManagerChart extends Chart {
  constructor(scope: Construct, id: string, site: Site) {
    super(scope, id, { disableResourceNameHashes: true, namespace: site.systemNamespace });
    const { replicas, resources, logLevel } = site.clusterManager;
    const { watchNamespaces } = site;
    const args = [
      ...(watchNamespaces.length > 0 ? [`--watch-namespaces=${watchNamespaces.join(',')}`] : []),
      `--log-level=${logLevel}`,
    ];
    const priorityClass = 'system-cluster-critical';
    partDeployment(this, site, { part: 'cluster-manager', replicas, resources, args, priorityClass });
  }
}
