import { expect } from 'chai';
import fc from 'fast-check';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { captureOutput, LineCutter, MAX_LINE_BYTES } from './capture.ts';
import { jsonLog } from './log.ts';
import { RotatingFile } from './rotate.ts';

describe('lines of the engine', () => {
  it('are cut the same however the bytes arrive, and none is lost', () => {
    const chunk = fc.oneof(
      fc.string({ maxLength: 20 }),
      fc.constant('\n'),
      fc.nat(2 * MAX_LINE_BYTES).map(n => 'x'.repeat(n)),
    );
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 8 }), fc.integer({ min: 100, max: 100_000 }), (parts, size) => {
        const input = Buffer.from(parts.join(''));
        const cutter = new LineCutter();
        const pieces: Buffer[] = [];
        for (let at = 0; at < input.length; at += size) pieces.push(...cutter.push(input.subarray(at, at + size)));
        pieces.push(...cutter.end());
        expect(Buffer.concat(pieces).equals(input)).to.equal(true);
        for (const piece of pieces.slice(0, -1)) {
          expect(piece.at(-1) === 10 || piece.length === MAX_LINE_BYTES).to.equal(true);
          expect(piece.subarray(0, -1).includes(10)).to.equal(false);
        }
      }),
      { numRuns: 15 },
    );
  });
});

describe('log files', () => {
  let directory: string;
  beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'log-'))));
  afterEach(() => rm(directory, { recursive: true }));

  const contents = async (): Promise<string> => {
    const number = (name: string): number => Number(name.split('.')[2] ?? 0);
    const names = (await readdir(directory)).sort((a, b) => number(b) - number(a));
    return (await Promise.all(names.map(name => readFile(join(directory, name), 'utf8')))).join('');
  };

  it('are rotated between lines, in order, without losing one, also over a restart', async () => {
    const lines = Array.from({ length: 500 }, (_, i) => `line ${i} ${'x'.repeat(i % 90)}\n`);
    for (const part of [lines.slice(0, 200), lines.slice(200)]) {
      const file = new RotatingFile({ path: join(directory, 'engine.log'), maxBytes: 2_000, files: 100 });
      await Promise.all(part.map(line => file.write(Buffer.from(line))));
      await file.close();
    }
    expect(await contents()).to.equal(lines.join(''));
    for (const name of await readdir(directory)) {
      const text = await readFile(join(directory, name), 'utf8');
      expect(text.length).to.be.at.most(2_000);
      expect(text.endsWith('\n')).to.equal(true);
    }
  });

  it('are kept up to their number', async () => {
    const file = new RotatingFile({ path: join(directory, 'engine.log'), maxBytes: 10, files: 3 });
    for (let i = 0; i < 20; i++) await file.write(Buffer.from(`line ${i}\n`));
    await file.close();
    expect((await readdir(directory)).sort()).to.deep.equal([
      'engine.log',
      'engine.log.1',
      'engine.log.2',
      'engine.log.3',
    ]);
    expect(await contents()).to.equal('line 16\nline 17\nline 18\nline 19\n');
  });

  it('get the same lines as the log of the container, through slow readers', async () => {
    const seen: string[] = [];
    const out = new Writable({
      highWaterMark: 64,
      write: (chunk: Buffer, _encoding, done) => {
        seen.push(chunk.toString());
        setImmediate(done);
      },
    });
    const lines = Array.from({ length: 300 }, (_, i) => `LOG:  "quoted" ${i}\n`);
    const file = new RotatingFile({ path: join(directory, 'engine.log'), maxBytes: 1_000, files: 100 });
    await captureOutput(Readable.from(lines.map(line => Buffer.from(line))), {
      stream: 'stderr',
      out,
      file,
      onLine: () => undefined,
      log: jsonLog(() => undefined, {}),
    });
    await file.close();
    expect(await contents()).to.equal(lines.join(''));
    const messages = seen
      .join('')
      .trimEnd()
      .split('\n')
      .map(text => (JSON.parse(text) as { message: string }).message);
    expect(messages).to.deep.equal(lines.map(line => line.trimEnd()));
  });

  it('that cannot be written do not stop the engine', async () => {
    const file = new RotatingFile({ path: join(directory, 'missing/engine.log'), maxBytes: 1_000, files: 1 });
    const warnings: string[] = [];
    const out = new Writable({ write: (_chunk, _encoding, done) => done() });
    const log = jsonLog(line => warnings.push(line), {});
    await captureOutput(Readable.from([Buffer.from('line\n')]), {
      stream: 'stderr',
      out,
      file,
      log,
      onLine: () => undefined,
    });
    expect(warnings.join('')).to.include('ENOENT');
  });
});
