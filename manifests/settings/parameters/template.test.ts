import { expect } from 'chai';
import { isOwnedSetting } from '../../../operator/engine/owned.ts';
import { refusedBy15 } from '../../../operator/settings/refused.ts';
import { engineParameters, templateItems, templateYaml } from './template.ts';

describe('parameter templates', () => {
  for (const engine of ['polardb', 'postgresql'] as const) {
    const items = templateItems(engine, 'UTC');

    it(`name what ${engine} has, each once`, () => {
      const known = engineParameters(engine);
      for (const { name } of items) expect(known.has(name), name).to.equal(true);
      expect(new Set(items.map(({ name }) => name.toLowerCase())).size).to.equal(items.length);
    });

    it(`leave to the profile what only it may set (${engine})`, () => {
      const names = items.map(({ name }) => name);
      expect(names.filter(name => isOwnedSetting(engine, name.toLowerCase()) || refusedBy15.has(name))).to.deep.equal(
        [],
      );
    });

    it(`keep each narrower range within that of ${engine}`, () => {
      const known = engineParameters(engine);
      for (const { name, optional = '' } of items) {
        const { min, max } = known.get(name)!;
        const range = /^\[(-?[\d.]+)-([\d.e+]+)\]$/.exec(optional);
        if (!range || min === '') continue;
        expect(Number(range[1]), name).to.be.at.least(Number(min));
        expect(Number(range[2]), name).to.be.at.most(Number(max));
      }
    });
  }

  it('ask for a restart where the engine does', () => {
    const dynamic = (name: string) => templateItems('polardb', 'UTC').find(item => item.name === name)?.is_dynamic;
    expect(['shared_buffers', 'max_connections', 'polar_copy_buffers'].map(dynamic)).to.deep.equal([0, 0, 0]);
    expect(['work_mem', 'log_statement', 'max_wal_size'].map(dynamic)).to.deep.equal([1, 1, 1]);
  });

  it('use nothing for stock PostgreSQL that later versions dropped', () => {
    const gone = ['old_snapshot_threshold', 'vacuum_defer_cleanup_age', 'promote_trigger_file', 'force_parallel_mode'];
    expect(templateItems('postgresql', 'UTC').filter(({ name }) => gone.includes(name))).to.deep.equal([]);
  });

  it('are written one parameter per line', () => {
    const line = templateYaml('postgresql', 'UTC')
      .split('\n')
      .find(text => text.includes('name: work_mem'));
    expect(line).to.equal(
      '- {name: work_mem, default_value: "4096", is_dynamic: 1, is_visible: 1, is_user_changable: 1, ' +
        'optional: "[64-2147483647]", unit: B, base_unit: kB}',
    );
  });
});
