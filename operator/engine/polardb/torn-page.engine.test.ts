import { expect } from 'chai';
import { open, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Bench } from '../testing/member.ts';
import { POLAR_BIN_DIR, SMALL_POLAR } from '../testing/polardb.ts';

const PAGE_BYTES = 8192;

if (POLAR_BIN_DIR !== undefined)
  describe('PolarDB after a power cut (real engine)', function () {
    this.timeout(60_000);
    let bench: Bench;

    before(async () => {
      bench = await Bench.open(POLAR_BIN_DIR);
    });
    after(() => bench.close());

    it('recovers pages of which only a half reached the disk', async () => {
      const a = await bench.member('a', 'share');
      await a.profile.initialize({ settings: SMALL_POLAR }, () => undefined);
      await a.startRw(SMALL_POLAR);
      await a.sql('CREATE TABLE t AS SELECT id, 0 AS changed FROM generate_series(1, 1000) AS id');
      await a.sql('CHECKPOINT');
      const [row] = await a.sql<{ path: string }>("SELECT pg_relation_filepath('t') AS path");
      const table = join(a.options.sharedDir!, 'pgdata/base', basename(dirname(row!.path)), basename(row!.path));
      const { length } = await readFile(table);
      await a.sql('UPDATE t SET changed = 1');
      await a.kill();
      const file = await open(table, 'r+');
      for (let at = PAGE_BYTES / 2; at < length; at += PAGE_BYTES) {
        await file.write(Buffer.alloc(PAGE_BYTES / 2, 'Z'), 0, PAGE_BYTES / 2, at);
      }
      await file.close();
      await a.startRw(SMALL_POLAR);
      const [sum] = await a.sql('SELECT count(*)::int AS rows, sum(changed)::int AS changed FROM t');
      expect(sum).to.deep.equal({ rows: 1000, changed: 1000 });
    });
  });
