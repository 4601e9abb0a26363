import { expect } from 'chai';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstNeeded, KeptLog, parseFork, segmentAt } from './kept-log.ts';

/** Of a small file of the log. PostgreSQL knows 1 MiB to 1 GiB. */
const BYTES = 1024 * 1024;
const label = (file: string): string =>
  `START WAL LOCATION: 0/308C328 (file ${file})\nCHECKPOINT LOCATION: 0/4000060\n`;
const name = (timeline: number, place: number): string => segmentAt({ timeline, at: BigInt(place * BYTES) }, BYTES);

describe('log that a rewind keeps', () => {
  it('reads where histories part', () => {
    const line = 'pg_rewind: servers diverged at WAL location 1F/500FE00 on timeline 12';
    expect(parseFork(line)).to.deep.equal({ timeline: 12, at: 0x1f0500fe00n });
    expect(parseFork('pg_rewind: no rewind required')).to.be.undefined;
  });
  it('reads where recovery begins', () => {
    expect(firstNeeded(label('000000010000000000000003'))).to.equal('000000010000000000000003');
    expect(firstNeeded('')).to.be.undefined;
  });

  const names: [timeline: number, at: bigint, bytes: number, file: string][] = [
    [1, 0x500fe00n, 16 * BYTES, '000000010000000000000005'],
    [26, 0x1_ff00_0000n, 16 * BYTES, '0000001A00000001000000FF'],
    [2, 0x2_4000_0000n, 1024 * BYTES, '000000020000000200000001'],
  ];
  for (const [timeline, at, bytes, file] of names)
    it(`names the file ${file}`, () => expect(segmentAt({ timeline, at }, bytes)).to.equal(file));

  describe('in a directory', () => {
    let root: string;
    let log: string;
    let kept: KeptLog;

    beforeEach(async () => {
      root = await mkdtemp(join(tmpdir(), 'kept-log-'));
      log = join(root, 'pg_wal');
      await mkdir(join(log, 'archive_status'), { recursive: true });
      kept = new KeptLog(log, join(root, 'kept'));
    });
    afterEach(() => rm(root, { recursive: true }));

    const has = async (): Promise<string[]> => (await readdir(log)).filter(it => it !== 'archive_status').sort();
    /** The member's files before the rewind, those after it, and what is there in the end. */
    async function rewound(before: string[], after: string[], fork: number): Promise<string[]> {
      for (const file of before) await writeFile(join(log, file), Buffer.alloc(BYTES));
      await kept.keep();
      for (const file of before) await rm(join(log, file));
      for (const file of after) await writeFile(join(log, file), 'of the RW');
      await writeFile(join(root, 'backup_label'), label(name(1, 3)));
      await kept.giveBack(root, { timeline: 1, at: BigInt(fork * BYTES + 77) });
      await kept.drop();
      return await has();
    }

    it('comes back from where recovery begins to the fork', async () => {
      const before = [2, 3, 4, 5, 6].map(place => name(1, place));
      const found = await rewound(before, [name(2, 5), name(2, 6)], 5);
      expect(found).to.deep.equal([name(1, 3), name(1, 4), name(2, 5), name(2, 6)]);
      expect(await readdir(root)).to.not.include('kept');
    });
    it('is what the RW has where it has it', async () => {
      const found = await rewound([name(1, 3), name(1, 5)], [name(1, 3), name(1, 4), name(2, 5)], 5);
      expect(found).to.deep.equal([name(1, 3), name(1, 4), name(2, 5)]);
    });
    it('is refused with a hole in it', async () => {
      const error = await rewound([name(1, 3), name(1, 5)], [name(2, 5)], 5).catch((it: unknown) => it);
      expect(String(error)).to.contain(`nobody has ${name(1, 4).slice(8)}`);
    });
    it('is refused when the RW has no more of the fork itself', async () => {
      const error = await rewound([name(1, 3), name(1, 4), name(1, 5)], [name(2, 6)], 5).catch((it: unknown) => it);
      expect(String(error)).to.contain(`nobody has ${name(1, 5).slice(8)}`);
    });
    it('needs nothing when nothing was rewound', async () => {
      await writeFile(join(log, name(1, 3)), '');
      await kept.keep();
      await kept.giveBack(root, { timeline: 1, at: 0n });
      expect(await has()).to.deep.equal([name(1, 3)]);
    });
  });
});
