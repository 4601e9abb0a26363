import { ApiObject, type ApiObjectMetadata } from 'cdk8s';
import type { Construct } from 'constructs';
import { operationProblems, type MPDOperationSpecInput } from '../../crds/mpdoperation.ts';
import { API_GROUP, API_VERSION } from '../../operator/model/names.ts';

export interface MpdOperationProps extends MPDOperationSpecInput {
  /**
   * Labels, annotations, namespace, another name.
   * @default the name is the id of the construct, the namespace that of the chart
   */
  readonly metadata?: ApiObjectMetadata;
}

/**
 * One operation on a cluster. It runs once per name: to run it again, give it another name.
 * @example new MpdOperation(chart, 'switch-1', { target: { name: 'orders' }, type: 'switchRw', switchRw: { instance: '1003' } })
 */
export class MpdOperation extends ApiObject {
  constructor(scope: Construct, id: string, props: MpdOperationProps) {
    const { metadata, ...spec } = props;
    const name = metadata?.name ?? id;
    super(scope, id, {
      apiVersion: `${API_GROUP}/${API_VERSION}`,
      kind: 'MPDOperation',
      metadata: { ...metadata, name },
      spec,
    });
    this.node.addValidation({
      validate: () => operationProblems(spec).map(({ message }) => `MPDOperation ${name}: ${message}`),
    });
  }
}
