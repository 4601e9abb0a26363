import { Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import { ownHostOnly } from '../../crds/host-protection.ts';
import { deletionProtection } from '../../crds/protection.ts';
import { INSTALLED, partName } from '../names.ts';
import { manifest } from '../object.ts';
import type { Site } from '../schema.ts';

/** Protection at admission without a webhook: the API server itself judges, also while nothing of ours runs. */
export class AdmissionChart extends Chart {
  constructor(scope: Construct, id: string, site: Site) {
    super(scope, id, { disableResourceNameHashes: true });
    const account = { namespace: site.systemNamespace, name: partName('daemon') };
    for (const object of [...deletionProtection, ...(site.daemon.enabled ? ownHostOnly(account) : [])]) {
      manifest(this, { ...object, metadata: { ...object.metadata, labels: INSTALLED } });
    }
  }
}
