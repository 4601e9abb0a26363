import { expect } from 'chai';
import { classResources } from '../../operator/settings/classes.ts';
import { effectiveParameters } from '../../operator/settings/parameters.ts';
import { readSiteSettings } from '../../operator/settings/site.ts';
import type { SiteSettings } from '../../operator/settings/types.ts';
import { checkSite } from '../schema.ts';
import { site } from '../site.ts';
import { settingsMaps } from './maps.ts';

/** What the manifests write, as the operator reads it. */
function read(overrides: unknown = {}): SiteSettings {
  const maps = settingsMaps(checkSite(site, overrides)).map(({ data, ...metadata }) => ({ metadata, data }));
  return readSiteSettings(maps);
}

describe('settings maps', () => {
  const settings = read();

  it('are read by the operator without a complaint', () => expect(settings.problems).to.deep.equal([]));

  it('carry network, ports and controller settings of the site', () => {
    expect(settings.network).to.deep.equal({ clientCard: 'auto', internalCard: 'auto' });
    expect(settings.ports).to.deep.equal({
      engine: { first: 5400, last: 5800 },
      external: { first: 36000, last: 39999 },
      reserved: [],
    });
    expect(site.controller).to.deep.include(settings.controller);
    expect(read({ ports: { reserved: '36000+4,36100' } }).ports.reserved).to.deep.equal([
      { first: 36000, last: 36004 },
      { first: 36100, last: 36100 },
    ]);
  });

  it('carry the sizes of side containers, of the half that is in force', () => {
    expect(settings.systemResources.readWriteMany.pfsd?.limits).to.deep.equal({ cpu: '500m', memory: '256Mi' });
    const normal = read({ systemResources: { share: false } }).systemResources;
    expect(normal.single.pfsd?.limits).to.deep.equal({ cpu: '3800m', memory: '7Gi' });
    expect(normal.single.manager?.requests).to.deep.equal({ cpu: '500m', memory: '128Mi' });
  });

  it('carry every class and version', () => {
    expect([...settings.classes.keys()]).to.have.members(Object.keys(site.classes));
    expect([...settings.versions.keys()]).to.have.members(Object.keys(site.versions));
    expect(settings.defaultVersions).to.deep.equal(site.defaultVersions);
    expect(settings.versions.get('postgresql-15')).to.deep.include({
      engine: 'postgresql',
      runAs: { user: 999, group: 999 },
    });
    for (const [name, one] of Object.entries(site.classes)) {
      expect(settings.classes.get(name)).to.deep.include({ displayName: one.displayName, parameters: one.parameters });
    }
  });

  // Numbers of the original's table (facts: instance classes); buffers as ordinary memory, or in huge pages.
  for (const [name, hugePages, resources] of [
    ['polar.o.x4.medium', false, { cpu: '2', memory: '17408Mi' }],
    ['polar.o.x4.medium', true, { cpu: '2', memory: '5120Mi', 'hugepages-2Mi': '12288Mi' }],
    ['polar.o.x8.2xlarge.exclusive', true, { cpu: '16', memory: '48395Mi', 'hugepages-2Mi': '119808Mi' }],
  ] as const) {
    it(`give ${name} its size ${hugePages ? 'with' : 'without'} huge pages`, () => {
      const size = classResources(read({ hugePages }).classes.get(name)!);
      expect(size).to.deep.equal({ limits: resources, requests: resources });
    });
  }

  it('let single classes use huge pages', () => {
    const { classes } = read({ classes: { 'polar.o.x4.medium': { hugePages: true } } });
    expect(classes.get('polar.o.x4.medium')?.hugepagesMi).to.equal(12288);
    expect(classes.get('polar.o.x4.large')?.hugepagesMi).to.equal(0);
  });

  it('give a laptop class that bursts', () =>
    expect(classResources(settings.classes.get('polar.o.x1.small')!)).to.deep.equal({
      limits: { cpu: '1', memory: '512Mi' },
      requests: { cpu: '100m', memory: '256Mi' },
    }));

  for (const engine of ['polardb', 'postgresql'] as const) {
    for (const name of Object.keys(site.classes)) {
      it(`give a new ${engine} of ${name} parameters that fit together`, () => {
        const found = settings.classes.get(name)!;
        const values = effectiveParameters({ template: settings.templates[engine]!, class: found, storageMi: 1024 });
        expect(values).to.include({ huge_pages: 'off', TimeZone: 'UTC', 'pg_stat_statements.track_utility': 'off' });
        expect(Object.keys(values).some(key => key.startsWith('polar_'))).to.equal(engine === 'polardb');
        for (const value of Object.values(values)) expect(value).not.to.match(/[{}]/);
      });
    }
  }

  it('take the time zone of the site', () =>
    expect(read({ timeZone: 'Asia/Shanghai' }).templates.polardb?.items.get('timezone')?.defaultValue).to.equal(
      'Asia/Shanghai',
    ));
});
