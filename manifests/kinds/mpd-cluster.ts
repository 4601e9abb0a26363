import { ApiObject, type ApiObjectMetadata } from 'cdk8s';
import type { Construct } from 'constructs';
import { clusterProblems, type MPDClusterSpecInput } from '../../crds/mpdcluster.ts';
import { API_GROUP, API_VERSION, appSecret, roService, rwService } from '../../operator/model/names.ts';

export interface MpdClusterProps extends MPDClusterSpecInput {
  /**
   * Labels, annotations, namespace, another name.
   * @default the name is the id of the construct, the namespace that of the chart
   */
  readonly metadata?: ApiObjectMetadata;
}

/**
 * A database cluster. Synthesis fails with the field and the reason when the API server would refuse it.
 * @example new MpdCluster(chart, 'orders', { classInfo: { className: 'x4.small' }, storage: { size: '20Gi' } })
 */
export class MpdCluster extends ApiObject {
  constructor(scope: Construct, id: string, props: MpdClusterProps) {
    const { metadata, ...spec } = props;
    const name = metadata?.name ?? id;
    super(scope, id, {
      apiVersion: `${API_GROUP}/${API_VERSION}`,
      kind: 'MPDCluster',
      metadata: { ...metadata, name },
      spec,
    });
    this.node.addValidation({
      validate: () =>
        clusterProblems({ metadata: { name }, spec }).map(({ message }) => `MPDCluster ${name}: ${message}`),
    });
  }

  /** Service whose one endpoint is the RW. */
  get rwServiceName(): string {
    return rwService(this.name);
  }

  /** Service of all read-only instances. */
  get roServiceName(): string {
    return roService(this.name);
  }

  /** Secret for applications: `username`, `password`, `dbname`, `host`, `port`, `uri`. */
  get appSecretName(): string {
    return appSecret(this.name);
  }
}
