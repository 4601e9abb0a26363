import { Chart } from 'cdk8s';
import type { IService } from 'kubernetes-models/v1';
import type { Construct } from 'constructs';
import { INSTALLED, PART_PORTS, partLabels, partName } from '../names.ts';
import { manifest } from '../object.ts';
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
    const part = 'cluster-manager';
    partDeployment(this, site, { part, replicas, resources, args, priorityClass, hasApi: true });
    manifest(this, apiService(site, part));
  }
}

/** Its HTTPS API; every replica answers, leader or not. */
const apiService = ({ systemNamespace }: Site, part: string): IService => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: partName(part), namespace: systemNamespace, labels: { ...INSTALLED, ...partLabels(part) } },
  spec: {
    selector: partLabels(part),
    ports: [{ name: 'api', port: 443, targetPort: PART_PORTS.api, protocol: 'TCP' }],
  },
});
