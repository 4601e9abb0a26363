import type { Role, RoleBinding, ServiceAccount } from '../../kube/resources.ts';
import { engineServiceAccount, recordName } from '../../model/names.ts';
import type { ClusterPlan } from '../plan.ts';
import { childMeta } from '../../kinds/child.ts';

const RBAC = 'rbac.authorization.k8s.io/v1';

/** A cluster's pods may read their own record and nothing else (design, least privilege). */
export function buildServiceAccount(plan: ClusterPlan): ServiceAccount {
  const metadata = childMeta(plan, engineServiceAccount(plan.name));
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata, automountServiceAccountToken: false };
}

export function buildRole(plan: ClusterPlan): Role {
  return {
    apiVersion: RBAC,
    kind: 'Role',
    metadata: childMeta(plan, engineServiceAccount(plan.name)),
    rules: [
      {
        apiGroups: ['coordination.k8s.io'],
        resources: ['leases'],
        resourceNames: [recordName(plan.name)],
        verbs: ['get'],
      },
    ],
  };
}

export function buildRoleBinding(plan: ClusterPlan): RoleBinding {
  const name = engineServiceAccount(plan.name);
  return {
    apiVersion: RBAC,
    kind: 'RoleBinding',
    metadata: childMeta(plan, name),
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects: [{ kind: 'ServiceAccount', name, namespace: plan.namespace }],
  };
}
