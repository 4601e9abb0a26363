import { Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import { deletionProtection } from '../../crds/protection.ts';
import { INSTALLED } from '../names.ts';
import { manifest } from '../object.ts';

/** Protection at admission without a webhook: the API server itself judges, also while nothing of ours runs. */
export class AdmissionChart extends Chart {
  constructor(scope: Construct, id: string) {
    super(scope, id, { disableResourceNameHashes: true });
    for (const object of deletionProtection) {
      manifest(this, { ...object, metadata: { ...object.metadata, labels: INSTALLED } });
    }
  }
}
