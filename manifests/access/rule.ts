import type { IPolicyRule } from 'kubernetes-models/rbac.authorization.k8s.io/v1';

/** A rule and the code that needs it. What no code needs is not granted; children go by owner reference, not by us. */
export interface GrantedRule {
  rule: IPolicyRule;
  why: string;
}

/** What one part may do, by where. */
export interface PartAccess {
  part: string;
  /** In every namespace with clusters. */
  clusters: readonly GrantedRule[];
  /** Of the whole Kubernetes cluster; also with watchNamespaces, since these kinds have no namespace. */
  hosts: readonly GrantedRule[];
  /** Where kubelets renew their Leases; granted apart only with watchNamespaces, `clusters` covers it otherwise. */
  nodeLeases: readonly GrantedRule[];
  /** In the settings namespace. */
  settings: readonly GrantedRule[];
  /** In the system namespace. */
  system: readonly GrantedRule[];
}

/** What a cache needs. */
export const WATCH = ['list', 'watch'];
/** What server-side apply needs: it creates what is absent. */
export const APPLY = ['create', 'patch'];
export const LEASES = 'coordination.k8s.io';

/** @param apiGroup empty for the core group */
export function rule(apiGroup: string, resources: string[], verbs: string[], why: string): GrantedRule {
  return { rule: { apiGroups: [apiGroup], resources, verbs }, why };
}

/** Objects of these names only. */
export const named = (names: string[], { rule: granted, why }: GrantedRule): GrantedRule => ({
  rule: { ...granted, resourceNames: names },
  why,
});
