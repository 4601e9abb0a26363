import { Chart } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import type {
  IClusterRole,
  IClusterRoleBinding,
  IRole,
  IRoleBinding,
} from 'kubernetes-models/rbac.authorization.k8s.io/v1';
import type { GrantedRule, PartAccess } from '../access/rule.ts';
import { INSTALLED, partName } from '../names.ts';
import { manifest } from '../object.ts';
import type { Site } from '../schema.ts';

const API = 'rbac.authorization.k8s.io';

/**
 * Service account and roles of each part. With `watchNamespaces` the rules on clusters become Roles in those namespaces:
 * nothing can then read a Secret elsewhere.
 */
export class AccessChart extends Chart {
  constructor(scope: Construct, id: string, site: Site, parts: readonly PartAccess[]) {
    super(scope, id, { disableResourceNameHashes: true });
    for (const access of parts) new PartGrants(this, site, access).grantAll();
  }
}

/** One part's account and what it is granted. */
class PartGrants {
  readonly #chart: Chart;
  readonly #site: Site;
  readonly #access: PartAccess;
  readonly #name: string;

  constructor(chart: Chart, site: Site, access: PartAccess) {
    this.#chart = chart;
    this.#site = site;
    this.#access = access;
    this.#name = partName(access.part);
  }

  grantAll(): void {
    const { systemNamespace, settingsNamespace, watchNamespaces } = this.#site;
    const { part, clusters, hosts, nodeLeases, settings, system } = this.#access;
    new kplus.ServiceAccount(this.#chart, part, {
      metadata: { name: this.#name, namespace: systemNamespace, labels: INSTALLED },
      automountToken: false,
    });
    const everywhere = watchNamespaces.length === 0;
    this.#grantEverywhere(everywhere ? [...hosts, ...clusters] : hosts);
    for (const namespace of watchNamespaces) this.#grant('clusters', namespace, clusters);
    this.#grant('settings', settingsNamespace, settings);
    this.#grant('system', systemNamespace, system);
    if (!everywhere) this.#grant('node-leases', 'kube-node-lease', nodeLeases);
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
    manifest(this.#chart, role);
    manifest(this.#chart, binding);
  }

  /** The purpose is part of the name: two purposes may share a namespace. */
  #grant(purpose: string, namespace: string, rules: readonly GrantedRule[]): void {
    if (rules.length === 0) return;
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
    manifest(this.#chart, role);
    manifest(this.#chart, binding);
  }

  #subject(): { kind: string; name: string; namespace: string } {
    return { kind: 'ServiceAccount', name: this.#name, namespace: this.#site.systemNamespace };
  }
}
