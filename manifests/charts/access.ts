import { Chart } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import type {
  IClusterRole,
  IClusterRoleBinding,
  IRole,
  IRoleBinding,
} from 'kubernetes-models/rbac.authorization.k8s.io/v1';
import { INSTALLED, partName } from '../names.ts';
import { manifest } from '../object.ts';
import { clusterRules, hostRules, nodeLeaseRules, settingsRules, systemRules, type GrantedRule } from '../rbac.ts';
import type { Site } from '../schema.ts';

const API = 'rbac.authorization.k8s.io';

/**
 * Service account and roles of the operator. With `watchNamespaces` the rules on clusters become Roles in those
 * namespaces: nothing can then read a Secret elsewhere.
 */
export class AccessChart extends Chart {
  readonly #site: Site;
  readonly #name = partName('operator');

  constructor(scope: Construct, id: string, site: Site) {
    super(scope, id, { disableResourceNameHashes: true });
    this.#site = site;
    new kplus.ServiceAccount(this, 'operator', {
      metadata: { name: this.#name, namespace: site.systemNamespace, labels: INSTALLED },
      automountToken: false,
    });
    const everywhere = site.watchNamespaces.length === 0;
    this.#grantEverywhere(everywhere ? [...hostRules, ...clusterRules] : hostRules);
    for (const namespace of site.watchNamespaces) this.#grant('clusters', namespace, clusterRules);
    this.#grant('settings', site.settingsNamespace, settingsRules);
    this.#grant('system', site.systemNamespace, systemRules);
    if (!everywhere) this.#grant('node-leases', 'kube-node-lease', nodeLeaseRules);
  }

  #grantEverywhere(rules: readonly GrantedRule[]): void {
    const metadata = { name: this.#name, labels: INSTALLED };
    const role: IClusterRole = {
      apiVersion: `${API}/v1`,
      kind: 'ClusterRole',
      metadata,
      rules: rules.map(granted => granted.rule),
    };
    const binding: IClusterRoleBinding = {
      apiVersion: `${API}/v1`,
      kind: 'ClusterRoleBinding',
      metadata,
      roleRef: { apiGroup: API, kind: 'ClusterRole', name: this.#name },
      subjects: [this.#subject()],
    };
    manifest(this, role);
    manifest(this, binding);
  }

  /** The purpose is part of the name: two purposes may share a namespace. */
  #grant(purpose: string, namespace: string, rules: readonly GrantedRule[]): void {
    const name = `${this.#name}-${purpose}`;
    const metadata = { name, namespace, labels: INSTALLED };
    const role: IRole = {
      apiVersion: `${API}/v1`,
      kind: 'Role',
      metadata,
      rules: rules.map(granted => granted.rule),
    };
    const binding: IRoleBinding = {
      apiVersion: `${API}/v1`,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: API, kind: 'Role', name },
      subjects: [this.#subject()],
    };
    manifest(this, role);
    manifest(this, binding);
  }

  #subject(): { kind: string; name: string; namespace: string } {
    return { kind: 'ServiceAccount', name: this.#name, namespace: this.#site.systemNamespace };
  }
}
