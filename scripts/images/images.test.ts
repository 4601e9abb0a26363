import { expect } from 'chai';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../kubernetes/run.ts';
import { packageVersion } from './debian.ts';
import { bundleProgram } from './program.ts';
import { parseLibraries } from './runtime.ts';

describe('libraries of Node.js', () => {
  it('are the files that ldd found, with the loader and without what the kernel brings', () => {
    const output = `\tlinux-vdso.so.1 (0x00007ffd)
\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f1)
\t/lib64/ld-linux-x86-64.so.2 (0x00007f2)
`;
    expect(parseLibraries(output)).to.deep.equal(['/lib/x86_64-linux-gnu/libm.so.6', '/lib64/ld-linux-x86-64.so.2']);
  });

  it('are all there, or the image is not built', () =>
    expect(() => parseLibraries('\tlibz.so.1 => not found\n')).to.throw('libz.so.1'));
});

describe('version of a Debian package', () => {
  const status =
    'Package: postgresql-15-x\nVersion: 9-1\n\nPackage: postgresql-15\nStatus: ok\nVersion: 1:15.14-0+deb12u1\n';
  it('is the upstream part', () => expect(packageVersion(status, 'postgresql-15')).to.equal('15.14'));
  it('is not that of a package with a longer name', () =>
    expect(() => packageVersion(status, 'postgresql')).to.throw('not installed'));
});

describe('bundled program', () => {
  let root: string;
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'bundle-'));
    await mkdir(join(root, 'operator'));
    await writeFile(
      join(root, 'operator/main.ts'),
      "import { word } from './word.ts';\nconsole.log(word, typeof require);\n",
    );
    await writeFile(join(root, 'operator/word.ts'), "export const word: string = 'hello';\n");
  });
  after(() => rm(root, { recursive: true }));

  it('is one file per entry that exists, runs alone, and is the same each time', async () => {
    const [first, ...others] = await bundleProgram(root);
    expect(first?.name).to.equal('polardb-stack.mjs');
    expect(others).to.deep.equal([]);
    const file = join(root, 'bundle.mjs');
    await writeFile(file, first?.text ?? '');
    expect(await run(process.execPath, [file])).to.equal('hello function\n');
    expect(await bundleProgram(root)).to.deep.equal([first]);
  });
});
