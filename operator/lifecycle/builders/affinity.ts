import type { Pod } from '../../kube/resources.ts';
import { LABEL, MAINTENANCE_LABEL } from '../../model/labels.ts';
import { API_GROUP } from '../../model/names.ts';
import type { ClusterPlan } from '../plan.ts';

type Affinity = NonNullable<NonNullable<Pod['spec']>['affinity']>;

/** Annotation of a pod: the hosts that it may not come to, as judged when it was made; absent: none. */
export const EXCLUDED_HOSTS = `${API_GROUP}/excluded-hosts`;

/** Where a pod may go beside what its resources and volumes ask for. */
export interface HostChoice {
  /** Never there. */
  excluded: readonly string[];
  /** Only where there is no other place. */
  disliked: readonly string[];
}

export const ANY_HOST: HostChoice = { excluded: [], disliked: [] };

export const excludedHosts = ({ excluded }: HostChoice): string => excluded.toSorted().join(',');

/** Members prefer hosts of their own. */
export function affinity(plan: ClusterPlan, { excluded, disliked }: HostChoice): Affinity {
  const apart = { [LABEL.cluster]: plan.name, [LABEL.component]: 'engine' };
  return {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [
          {
            matchExpressions: [{ key: MAINTENANCE_LABEL, operator: 'DoesNotExist' }],
            ...(excluded.length > 0 && { matchFields: notIn(excluded) }),
          },
        ],
      },
      ...(disliked.length > 0 && {
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 100, preference: { matchFields: notIn(disliked) } },
        ],
      }),
    },
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          weight: 100,
          podAffinityTerm: { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: apart } },
        },
      ],
    },
  };
}

/** Kubernetes takes one name for each requirement on a field. */
const notIn = (hosts: readonly string[]): { key: string; operator: 'NotIn'; values: string[] }[] =>
  hosts.toSorted().map(host => ({ key: 'metadata.name', operator: 'NotIn', values: [host] }));
