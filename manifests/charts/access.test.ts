import { App, Testing } from 'cdk8s';
import { expect } from 'chai';
import { clusterManagerAccess } from '../access/cluster-manager.ts';
import { daemonAccess } from '../access/daemon.ts';
import { operatorAccess } from '../access/operator.ts';
import { checkSite } from '../schema.ts';
import { site } from '../site.ts';
import { AccessChart } from './access.ts';

interface Role {
  kind: string;
  metadata: { name: string; namespace?: string };
  rules?: { apiGroups: string[]; resources: string[]; resourceNames?: string[]; verbs: string[] }[];
  roleRef?: { kind: string; name: string };
  subjects?: { name: string; namespace: string }[];
}

const PARTS = { operator: operatorAccess, 'cluster-manager': clusterManagerAccess };
type Part = keyof typeof PARTS;

const access = (part: Part, overrides: unknown = {}): Role[] =>
  Testing.synth(new AccessChart(new App(), 'access', checkSite(site, overrides), [PARTS[part]])) as Role[];
const of = (kind: string, roles: Role[]): Role[] => roles.filter(role => role.kind === kind);
const where = (roles: Role[], resource: string): (string | undefined)[] =>
  roles
    .flatMap(role => (role.rules ?? []).map(rule => ({ rule, role })))
    .filter(({ rule }) => rule.resources.includes(resource))
    .map(({ role }) => role.metadata.namespace ?? 'everywhere');

const CHANGING = ['create', 'update', 'patch', 'delete'];
/** Kinds that a part may change in the namespaces of clusters. */
const changes = (part: Part): string[] =>
  PARTS[part].clusters
    .filter(({ rule }) => rule.verbs.some(verb => CHANGING.includes(verb)))
    .flatMap(({ rule }) => rule.resources ?? []);

for (const part of Object.keys(PARTS) as Part[]) {
  describe(`access of the ${part}`, () => {
    for (const [what, roles] of [
      ['everywhere', access(part)],
      ['in named namespaces', access(part, { watchNamespaces: ['shop', 'bank'] })],
    ] as const) {
      it(`has no wildcard (${what})`, () =>
        expect(
          roles.flatMap(role => role.rules ?? []).flatMap(rule => [rule.apiGroups, rule.resources, rule.verbs].flat()),
        ).not.to.include('*'));

      it(`is bound to its own account alone (${what})`, () => {
        const bindings = [...of('RoleBinding', roles), ...of('ClusterRoleBinding', roles)];
        const grants = [...of('Role', roles), ...of('ClusterRole', roles)];
        const place = ({ metadata }: Role) => `${metadata.namespace ?? ''}/${metadata.name}`;
        expect(bindings.map(place)).to.have.members(grants.map(place));
        for (const { subjects } of bindings) {
          expect(subjects).to.deep.equal([
            { kind: 'ServiceAccount', name: `polardb-stack-${part}`, namespace: 'polardb-system' },
          ]);
        }
      });
    }

    it('also serves a site whose clusters live beside the parts or the settings', () =>
      expect(access(part, { watchNamespaces: ['polardb-system', 'kube-system'] })).not.to.be.empty);

    it('reads of no namespace but the named ones, when there are any', () => {
      const roles = access(part, { watchNamespaces: ['shop', 'bank'] });
      const everywhere = of('ClusterRole', roles).flatMap(role => role.rules ?? []);
      const volumes = part === 'operator' ? ['persistentvolumes'] : [];
      // Reviews say of a caller who it is and what it may do; they read nothing.
      const reviews = part === 'cluster-manager' ? ['tokenreviews', 'subjectaccessreviews'] : [];
      expect(everywhere.flatMap(rule => rule.resources)).to.deep.equal(['nodes', ...volumes, ...reviews]);
      expect(where(roles, 'leases').includes('kube-node-lease')).to.equal(part === 'cluster-manager');
    });
  });
}

describe('access of the operator', () => {
  it('reads Secrets everywhere by default', () =>
    expect(where(access('operator'), 'secrets')).to.deep.equal([
      'everywhere',
      'polardb-system',
      'polardb-system',
      'polardb-system',
    ]));

  it('reads Secrets of the named namespaces only, when there are any', () => {
    const roles = access('operator', { watchNamespaces: ['shop', 'bank'] });
    expect(new Set(where(roles, 'secrets'))).to.deep.equal(new Set(['shop', 'bank', 'polardb-system']));
  });

  it('changes nothing of the settings but the counter of ids', () => {
    const settings = access('operator').find(role => role.kind === 'Role' && role.metadata.namespace === 'kube-system');
    const changing = settings?.rules?.filter(rule => rule.verbs.some(verb => !['get', 'list', 'watch'].includes(verb)));
    expect(changing?.map(rule => [rule.verbs, rule.resourceNames])).to.deep.equal([
      [['get', 'update'], ['polardb4mpd-controller']],
    ]);
  });
});

describe('access of the daemon', () => {
  const daemon = (overrides?: unknown): Role[] =>
    Testing.synth(new AccessChart(new App(), 'access', checkSite(site, overrides), [daemonAccess])) as Role[];
  const rules = daemon().flatMap(role => role.rules ?? []);

  it('has no wildcard, reads no Secret, deletes nothing', () => {
    expect(rules.flatMap(rule => [rule.apiGroups, rule.resources, rule.verbs].flat())).not.to.include('*');
    expect(rules.flatMap(rule => rule.resources)).not.to.include('secrets');
    expect(rules.flatMap(rule => rule.verbs)).not.to.include('delete');
  });

  it('sees every instance of every namespace, whatever the operator watches: else a folder would look orphaned', () => {
    const named = daemon({ watchNamespaces: ['shop'] });
    for (const resource of ['pods', 'mpdclusters']) expect(where(named, resource)).to.deep.equal(['everywhere']);
  });

  it('writes conditions of nodes, facts beside the settings, Leases beside the parts, and Events', () => {
    const changed = rules.filter(({ verbs }) => verbs.some(verb => CHANGING.includes(verb)));
    expect(changed.flatMap(rule => rule.resources)).to.deep.equal([
      ...['nodes/status', 'events', 'tokenreviews', 'subjectaccessreviews'],
      ...['configmaps', 'leases'],
    ]);
  });
});

describe('who is RW', () => {
  it('is written by the cluster manager alone', () => {
    for (const resource of ['leases', 'endpointslices']) expect(changes('operator')).to.not.include(resource);
  });
});

describe('access of the cluster manager', () => {
  const roles = access('cluster-manager');

  it('reads one Secret: its own certificate', () => {
    const secrets = roles.flatMap(role => role.rules ?? []).filter(rule => rule.resources.includes('secrets'));
    expect(secrets.map(rule => rule.resourceNames)).to.deep.equal([['polardb-stack-cluster-manager-tls']]);
    expect(where(roles, 'secrets')).to.deep.equal(['polardb-system']);
  });

  it('changes of a cluster the hold, its record, publication, log and Events, and asks for operations; deletes nothing', () => {
    expect(changes('cluster-manager')).to.deep.equal([
      'mpdclusters',
      'mpdclusters/status',
      'mpdoperations',
      'mpdoperations/status',
      'pods',
      'configmaps',
      'endpointslices',
      'leases',
      'events',
    ]);
    const verbs = roles.flatMap(role => role.rules ?? []).flatMap(rule => rule.verbs);
    expect(verbs).not.to.include('delete');
  });
});
