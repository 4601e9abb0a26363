import { Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import type {
  IValidatingAdmissionPolicy,
  IValidatingAdmissionPolicyBinding,
} from 'kubernetes-models/admissionregistration.k8s.io/v1';
import { API_GROUP, API_VERSION } from '../../operator/model/names.ts';
import { INSTALLED } from '../names.ts';
import { manifest } from '../object.ts';

const API = 'admissionregistration.k8s.io/v1';

/** A rule that a CRD cannot hold: it sees no deletion. */
interface Policy {
  name: string;
  operations: ('CREATE' | 'UPDATE' | 'DELETE')[];
  validations: { expression: string; message: string }[];
}

const POLICIES: readonly Policy[] = [
  {
    name: 'deletion-protection',
    operations: ['DELETE'],
    validations: [
      {
        expression: '!(has(oldObject.spec.deletionProtection) && oldObject.spec.deletionProtection)',
        message: 'this cluster is protected: set spec.deletionProtection to false first',
      },
    ],
  },
];

/** Protection at admission without a webhook: the API server itself judges, also while nothing of ours runs. */
export class AdmissionChart extends Chart {
  constructor(scope: Construct, id: string) {
    super(scope, id, { disableResourceNameHashes: true });
    for (const policy of POLICIES) this.#add(policy);
  }

  #add({ name, operations, validations }: Policy): void {
    const metadata = { name: `${name}.${API_GROUP}`, labels: INSTALLED };
    const policy: IValidatingAdmissionPolicy = {
      apiVersion: API,
      kind: 'ValidatingAdmissionPolicy',
      metadata,
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          resourceRules: [
            { apiGroups: [API_GROUP], apiVersions: [API_VERSION], resources: ['mpdclusters'], operations },
          ],
        },
        validations,
      },
    };
    const binding: IValidatingAdmissionPolicyBinding = {
      apiVersion: API,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata,
      spec: { policyName: metadata.name, validationActions: ['Deny'] },
    };
    manifest(this, policy);
    manifest(this, binding);
  }
}
