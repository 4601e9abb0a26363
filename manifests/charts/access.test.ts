import { App, Testing } from 'cdk8s';
import { expect } from 'chai';
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

const access = (overrides: unknown = {}): Role[] =>
  Testing.synth(new AccessChart(new App(), 'access', checkSite(site, overrides))) as Role[];
const of = (kind: string, roles: Role[]): Role[] => roles.filter(role => role.kind === kind);
const where = (roles: Role[], resource: string): (string | undefined)[] =>
  roles
    .filter(role => role.rules?.some(rule => rule.resources.includes(resource)))
    .map(role => role.metadata.namespace ?? 'everywhere');

describe('access of the operator', () => {
  for (const [what, roles] of [
    ['everywhere', access()],
    ['in named namespaces', access({ watchNamespaces: ['shop', 'bank'] })],
  ] as const) {
    it(`has no wildcard (${what})`, () =>
      expect(
        roles.flatMap(role => role.rules ?? []).flatMap(rule => [rule.apiGroups, rule.resources, rule.verbs].flat()),
      ).not.to.include('*'));

    it(`is bound to the operator alone (${what})`, () => {
      const bindings = [...of('RoleBinding', roles), ...of('ClusterRoleBinding', roles)];
      const grants = [...of('Role', roles), ...of('ClusterRole', roles)];
      const place = ({ metadata }: Role) => `${metadata.namespace ?? ''}/${metadata.name}`;
      expect(bindings.map(place)).to.have.members(grants.map(place));
      for (const { subjects } of bindings) {
        expect(subjects).to.deep.equal([
          { kind: 'ServiceAccount', name: 'polardb-stack-operator', namespace: 'polardb-system' },
        ]);
      }
    });
  }

  it('reads Secrets everywhere by default', () =>
    expect(where(access(), 'secrets')).to.deep.equal(['everywhere', 'polardb-system']));

  it('reads Secrets of the named namespaces only, when there are any', () => {
    const roles = access({ watchNamespaces: ['shop', 'bank'] });
    expect(where(roles, 'secrets')).to.deep.equal(['shop', 'bank', 'polardb-system']);
    const everywhere = of('ClusterRole', roles).flatMap(role => role.rules ?? []);
    expect(everywhere.flatMap(rule => rule.resources)).to.deep.equal(['nodes']);
    expect(where(roles, 'leases')).to.include('kube-node-lease');
  });

  it('also serves a site whose clusters live beside the parts or the settings', () =>
    expect(access({ watchNamespaces: ['polardb-system', 'kube-system'] })).not.to.be.empty);

  it('changes nothing of the settings but the counter of ids', () => {
    const settings = access().find(role => role.kind === 'Role' && role.metadata.namespace === 'kube-system');
    const changing = settings?.rules?.filter(rule => rule.verbs.some(verb => !['get', 'list', 'watch'].includes(verb)));
    expect(changing?.map(rule => [rule.verbs, rule.resourceNames])).to.deep.equal([
      [['get', 'update'], ['polardb4mpd-controller']],
    ]);
  });
});
