import { expect } from 'chai';
import fc from 'fast-check';
import { isSameSettings, readSiteSettings, SETTINGS_WATCHES } from './site.ts';
import type { SettingsMap, SiteSettings } from './types.ts';

const map = (name: string, data: Record<string, string>, labels: Record<string, string> = {}): SettingsMap => ({
  metadata: { name, labels },
  data,
});
const classMap = (name: string, data: Record<string, string>, mapName = `level-${name}`): SettingsMap =>
  map(mapName, data, { configtype: 'instance_level', leveltype: 'instance_level_resource', classKey: name });
const parameterMap = (name: string, data: Record<string, string>): SettingsMap =>
  map(`config-${name}`, data, { configtype: 'instance_level', leveltype: 'instance_level_config', classKey: name });
const versionMap = (suffix: string, data: Record<string, string>): SettingsMap =>
  map(`postgresql-1-0-minor-version-info-rwo-${suffix}`, data, { configtype: 'minor_version_info' });
const templateMap = (items: string, name = 'template', engine?: string): SettingsMap =>
  map(name, { mycnf_template: items, ...(engine && { engine }) }, { configtype: 'mycnf_template' });
const problemKeys = ({ problems }: SiteSettings): string[] => problems.map(({ map, key }) => `${map}: ${key}`);

describe('site settings', () => {
  const ports = map('polardb4mpd-controller', { NextClusterScopeCustInsId: '1000' });
  const { metadata } = ports;
  for (const [what, before, after, same] of [
    ['a counted id', ports, { ...ports, data: { NextClusterScopeCustInsId: '1003' } }, true],
    ['another range of ports', ports, { ...ports, metadata: { ...metadata, annotations: { range: '1-2' } } }, false],
    ['a value', map('ccm-config', { a: '1' }), map('ccm-config', { a: '2' }), false],
    ['a label', map('level', {}, { classKey: 'a' }), map('level', {}, { classKey: 'b' }), false],
    ['a map that was not there', undefined, map('ccm-config', {}), false],
  ] as const) {
    it(`${same ? 'do not differ' : 'differ'} by ${what}`, () => expect(isSameSettings(before, after)).to.equal(same));
  }

  it('have the defaults of the original where nothing is said', () => {
    const none = readSiteSettings([]);
    expect(none.network).to.deep.equal({ clientCard: 'bond1', internalCard: 'bond1' });
    expect(none.controller).to.deep.include({ hybridDeployment: true, enableRedline: true, sshUser: 'root' });
    expect(none.ports).to.deep.equal({ engine: undefined, external: undefined, reserved: [] });
    expect(none.problems).to.deep.equal([]);
  });

  for (const [text, value] of [
    ['1', true],
    ['T', true],
    ['y', true],
    ['TRUE', true],
    ['Yes', true],
    ['0', false],
    ['F', false],
    ['no', false],
    [' false ', false],
  ] as const) {
    it(`take "${text}" as ${value}`, () =>
      expect(
        readSiteSettings([map('controller-config', { cmHybridDeployment: text })]).controller.cmHybridDeployment,
      ).to.equal(value));
  }

  it('keep the last good value of a key and tell what is wrong, once per value', () => {
    const good = readSiteSettings([map('ccm-config', { NET_CARD_NAME: 'eth0', INTERNAL_NETWORK_CARD_NAME: 'eth1' })]);
    const bad = [map('ccm-config', { NET_CARD_NAME: 'no/such card', INTERNAL_NETWORK_CARD_NAME: 'eth2' })];
    const next = readSiteSettings(bad, good);
    expect(next.network).to.deep.equal({ clientCard: 'eth0', internalCard: 'eth2' });
    expect(next.problems).to.have.length(1);
    expect(next.problems[0]).to.deep.include({ map: 'ccm-config', key: 'NET_CARD_NAME' });
    expect(next.problems[0]?.remedy).to.contain('ip link');
    expect(readSiteSettings(bad, next).network.clientCard).to.equal('eth0');
  });

  it('heal when the value is right again or gone', () => {
    const bad = readSiteSettings([map('controller-config', { enableRedline: 'perhaps' })]);
    expect(problemKeys(bad)).to.deep.equal(['controller-config: enableRedline']);
    expect(readSiteSettings([map('controller-config', { enableRedline: 'no' })], bad).problems).to.deep.equal([]);
    expect(readSiteSettings([map('controller-config', {})], bad).problems).to.deep.equal([]);
  });

  it('use no password from a ConfigMap', () =>
    expect(problemKeys(readSiteSettings([map('controller-config', { sshPassword: 'secret' })]))).to.deep.equal([
      'controller-config: sshPassword',
    ]));

  it('read port ranges from annotations, each on its own', () => {
    const annotations = {
      'polarbox.novip.engine.port.range': '5400+400',
      'polarbox.mpd.external.port.range': 'many',
      'polarbox.mpd.reserved.port.ranges': '5500-5510,5600',
    };
    const read = readSiteSettings([{ metadata: { name: 'polardb4mpd-controller', annotations } }]);
    expect(read.ports.engine).to.deep.equal({ first: 5400, last: 5800 });
    expect(read.ports.reserved).to.have.length(2);
    expect(problemKeys(read)).to.deep.equal(['polardb4mpd-controller: polarbox.mpd.external.port.range']);
  });

  it('keep a class as a whole when one of its numbers is wrong', () => {
    const good = readSiteSettings([classMap('a', { cpu_cores: '2', mem_limit: '1024' })]);
    const next = readSiteSettings([classMap('a', { cpu_cores: '4', mem_limit: 'lots' })], good);
    expect(next.classes.get('a')).to.deep.equal(good.classes.get('a'));
    expect(problemKeys(next)).to.deep.equal(['level-a: mem_limit']);
    expect(readSiteSettings([classMap('a', { cpu_cores: '4', mem_limit: 'lots' })]).classes.size).to.equal(0);
  });

  for (const [what, data, cpu, memory] of [
    ['limits alone', { cpu_cores: '2', mem_limit: '1024' }, [2000, 2000], [1024, 1024]],
    ['requests alone (exclusive)', { cpu_cores_request: '16', mem_request: '2Gi' }, [16000, 16000], [2048, 2048]],
    [
      'both',
      { cpu_cores: '1', cpu_cores_request: '250m', mem_limit: '512Mi', mem_request: '256' },
      [250, 1000],
      [256, 512],
    ],
    [
      'buffers in ordinary memory',
      { cpu_cores: '2', mem_limit: '5120', hugepage_limit: '12288', hugepages: 'false' },
      [2000, 2000],
      [17408, 17408],
    ],
  ] as const) {
    it(`size a class by ${what}`, () => {
      const found = readSiteSettings([classMap('a', data)]).classes.get('a');
      expect(found?.cpu).to.deep.equal({ requestMillis: cpu[0], limitMillis: cpu[1] });
      expect(found?.memory).to.deep.equal({ requestMi: memory[0], limitMi: memory[1] });
      expect(found?.hugepagesMi).to.equal(0);
    });
  }

  it('take the huge pages of a map of the original', () =>
    expect(
      readSiteSettings([classMap('a', { cpu_cores: '2', mem_limit: '5120', hugepage_limit: '12288' })]).classes.get(
        'a',
      ),
    ).to.deep.include({ hugepagesMi: 12288, memory: { requestMi: 5120, limitMi: 5120 } }));

  for (const [what, data] of [
    ['no cores', { mem_limit: '1024' }],
    ['no memory', { cpu_cores: '2' }],
    ['a request above the limit', { cpu_cores: '1', cpu_cores_request: '2', mem_limit: '1024' }],
    ['JSON that is none', { cpu_cores: '1', mem_limit: '1024', class_specified: '[]' }],
  ] as const) {
    it(`leave out a class with ${what}`, () => {
      const read = readSiteSettings([classMap('a', data)]);
      expect(read.classes.size).to.equal(0);
      expect(read.problems).to.have.length(1);
    });
  }

  it('take the first of two maps of one class, by name, and tell', () => {
    const two = [
      classMap('a', { cpu_cores: '2', mem_limit: '1' }, 'z'),
      classMap('a', { cpu_cores: '1', mem_limit: '1' }, 'b'),
    ];
    const read = readSiteSettings(two);
    expect(read.classes.get('a')?.cpu.limitMillis).to.equal(1000);
    expect(problemKeys(read)).to.deep.equal(['z: metadata.labels.classKey']);
  });

  it('join parameters to their class, without quotes and without what version 15 refuses', () => {
    const read = readSiteSettings([
      classMap('a', { cpu_cores: '1', mem_limit: '1024' }),
      parameterMap('a', { work_mem: "'8MB'", wal_keep_segments: '32' }),
    ]);
    expect(read.classes.get('a')?.parameters).to.deep.equal({ work_mem: '8MB' });
    expect(problemKeys(read)).to.deep.equal(['config-a: wal_keep_segments']);
  });

  it('read versions by their real name, and the defaults', () => {
    const read = readSiteSettings([
      versionMap('15-8', { name: '15.8', pgEngineImage: 'polardb/engine:15.8', pfsdImage: 'polardb/pfsd:1' }),
      versionMap('pg', { engine: 'postgresql', pgEngineImage: 'pg:15', runAsUser: '999' }),
      versionMap('root', { latestVersion: '15.8', 'latestVersion.postgresql': 'pg' }),
    ]);
    expect(read.versions.get('15.8')).to.deep.equal({
      name: '15.8',
      engine: 'polardb',
      engineImage: 'polardb/engine:15.8',
      runAs: undefined,
      otherImages: { pfsdImage: 'polardb/pfsd:1' },
    });
    expect(read.versions.get('pg')?.runAs).to.deep.equal({ user: 999, group: 999 });
    expect(read.defaultVersions).to.deep.equal({ polardb: '15.8', postgresql: 'pg' });
  });

  for (const [what, data, key] of [
    ['no image', {}, 'pgEngineImage'],
    ['an image that is none', { pgEngineImage: 'https://x/y' }, 'pgEngineImage'],
    ['an unknown engine', { pgEngineImage: 'x:1', engine: 'mysql' }, 'engine'],
    ['root as user', { pgEngineImage: 'x:1', runAsUser: '0' }, 'runAsUser'],
  ] as const) {
    it(`keep a version that now has ${what}`, () => {
      const good = readSiteSettings([versionMap('v', { pgEngineImage: 'good:1' })]);
      const next = readSiteSettings([versionMap('v', data)], good);
      expect(next.versions.get('v')?.engineImage).to.equal('good:1');
      expect(problemKeys(next)).to.deep.equal([`postgresql-1-0-minor-version-info-rwo-v: ${key}`]);
    });
  }

  it('take wishes for containers as far as they are some', () => {
    const wishes = '{"pfsd":{"cpu_cores":"1","limit_memory":5,"config":"-w 8"},"manager":null,"engine":[]}';
    const read = readSiteSettings([classMap('a', { cpu_cores: '1', mem_limit: '1', class_specified: wishes })]);
    expect(read.classes.get('a')?.containers).to.deep.equal({
      pfsd: { cpu: '1', config: '-w 8' },
      manager: {},
      engine: {},
    });
  });

  it('keep the good items of a template beside bad ones', () => {
    const read = readSiteSettings([
      templateMap(
        [
          "- {name: work_mem, default_value: '4096', optional: '[64-100000]', unit: INT, base_unit: kB}",
          "- {name: jit, default_value: maybe, optional: '[on|off]'}",
          '- {name: wal_keep_segments, default_value: 32}',
          "- {name: 'bad name'}",
          '- {name: old, is_deleted: 1}',
        ].join('\n'),
      ),
    ]);
    expect([...read.templates.polardb!.items.keys()]).to.deep.equal(['work_mem']);
    expect(problemKeys(read)).to.deep.equal([
      'template: mycnf_template.jit',
      'template: mycnf_template.wal_keep_segments',
      'template: mycnf_template.bad name',
    ]);
  });

  it('keep a template whose YAML broke', () => {
    const good = readSiteSettings([templateMap('- {name: jit}')]);
    const next = readSiteSettings([templateMap('- {name: jit')], good);
    expect([...next.templates.polardb!.items.keys()]).to.deep.equal(['jit']);
    expect(next.problems[0]?.message).to.match(/^is not YAML: /);
  });

  it('open and add parameters by the white list of the original', () => {
    const read = readSiteSettings([
      templateMap('- {name: jit}\n- {name: geqo}'),
      map('postgresql-1-0-mycnf-template-white-list-rwo', {
        can_update_params: 'jit|gone',
        extend_mycnf_template: '- {name: search_path, is_user_changable: 1}',
      }),
    ]);
    const changeable = [...read.templates.polardb!.items.values()].map(({ name, changeable }) => [name, changeable]);
    expect(changeable).to.deep.equal([
      ['jit', true],
      ['geqo', false],
      ['search_path', true],
    ]);
    expect(problemKeys(read)).to.deep.equal(['postgresql-1-0-mycnf-template-white-list-rwo: can_update_params']);
  });

  it('do not depend on the order of the maps', () => {
    const maps = [
      map('ccm-config', { NET_CARD_NAME: 'eth0' }),
      classMap('a', { cpu_cores: '1', mem_limit: '1024' }),
      classMap('a', { cpu_cores: '2', mem_limit: '1024' }, 'other'),
      versionMap('v', { pgEngineImage: 'x:1' }),
      templateMap('- {name: jit}'),
    ];
    const wanted = readSiteSettings(maps);
    fc.assert(
      fc.property(fc.shuffledSubarray(maps, { minLength: maps.length }), shuffled => {
        expect(readSiteSettings(shuffled)).to.deep.equal(wanted);
      }),
      { numRuns: 20 },
    );
  });

  it('never throw, whatever stands in the maps', () => {
    const names = [...SETTINGS_WATCHES.names, 'postgresql-1-0-minor-version-info-rwo-x'];
    const keys = [
      'NET_CARD_NAME',
      'hybridDeployment',
      'shared',
      'mycnf_template',
      'cpu_cores',
      'pgEngineImage',
      'class_specified',
    ];
    const anyMap = fc.record({
      metadata: fc.record({
        name: fc.constantFrom(...names),
        labels: fc.dictionary(
          fc.constantFrom('configtype', 'leveltype', 'classKey'),
          fc.constantFrom('instance_level', 'instance_level_resource', 'minor_version_info', 'mycnf_template', 'a'),
        ),
        annotations: fc.dictionary(fc.constant('polarbox.novip.engine.port.range'), fc.string()),
      }),
      data: fc.dictionary(fc.constantFrom(...keys), fc.oneof(fc.string(), fc.json(), fc.constant('- {name: a}'))),
    });
    fc.assert(
      fc.property(fc.array(anyMap, { maxLength: 6 }), maps => {
        for (const { message, remedy } of readSiteSettings(maps).problems) expect(message && remedy).not.to.equal('');
      }),
      { numRuns: 500 },
    );
  });
});
