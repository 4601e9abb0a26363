import { API_GROUP, API_VERSION } from '../operator/model/names.ts';

const NAME = `deletion-protection.${API_GROUP}`;

/** Refuses to delete clusters with `deletionProtection`, whoever asks: a person, an owner's deletion, a namespace's end. */
export const deletionProtection = [
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: NAME },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: {
        resourceRules: [
          {
            apiGroups: [API_GROUP],
            apiVersions: [API_VERSION],
            operations: ['DELETE'],
            resources: ['mpdclusters'],
            scope: 'Namespaced',
          },
        ],
      },
      validations: [
        {
          expression: '!oldObject.spec.?deletionProtection.orValue(false)',
          message: 'spec.deletionProtection is true: set it to false first, then delete the cluster',
        },
      ],
    },
  },
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: NAME },
    spec: { policyName: NAME, validationActions: ['Deny'] },
  },
] as const;
