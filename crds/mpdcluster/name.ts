import type { Rule } from '../rules.ts';

/**
 * Longest name of a cluster. Its pods are called `<cluster>-<id>-<id>`; with ids of up to ten digits that still fits
 * the 63 characters of a label, a host name and a Service.
 */
const MAX_CLUSTER_NAME = 40;

interface Named {
  metadata: { name: string };
}

/** The API server lets no rule blame metadata, so the message names the field. */
export const nameRules: readonly Rule<Named>[] = [
  {
    message: `metadata.name may have ${MAX_CLUSTER_NAME} characters at most: pods, Services and labels are named after it`,
    cel: `size(self.metadata.name) <= ${MAX_CLUSTER_NAME}`,
    onlyOnCreate: true,
    holds: ({ metadata }) => metadata.name.length <= MAX_CLUSTER_NAME,
  },
  {
    message:
      'metadata.name must begin with a letter and hold lower case letters, digits and "-" only: Services are named after it',
    cel: "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
    onlyOnCreate: true,
    holds: ({ metadata }) => /^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(metadata.name),
  },
];
