import { expect } from 'chai';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../kubernetes/paths.ts';
import { run } from '../kubernetes/run.ts';
import { currentProgram } from './program-cache.ts';
import { bundleProgram } from './program.ts';

describe('bundled program', () => {
  let root: string;
  let cache: string;
  const write = async (path: string, text: string): Promise<void> => {
    await writeFile(join(root, path), text);
    // Long ago: not while the program is being bundled.
    await utimes(join(root, path), 0, 0);
  };
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'bundle-'));
    cache = await mkdtemp(join(tmpdir(), 'cache-'));
    await mkdir(join(root, 'operator'));
    await write(
      'operator/main.ts',
      "import { METHODS } from 'node:http';\nimport { word } from './word.ts';\nconsole.log(word, typeof require, METHODS.includes('GET'));\n",
    );
    await write('operator/word.ts', "export const word: string = 'hello';\n");
    await write('package-lock.json', '{}');
  });
  afterEach(() => Promise.all([root, cache].map(path => rm(path, { recursive: true }))));

  it('is one file per entry that exists, runs alone, and is the same each time', async () => {
    const bundles = await bundleProgram(root);
    const [first, ...others] = bundles.files;
    expect(first?.name).to.equal('polardb-stack.mjs');
    expect(others).to.deep.equal([]);
    expect(bundles.inputs).to.deep.equal(['operator/main.ts', 'operator/word.ts']);
    await write('bundle.mjs', first?.text ?? '');
    expect(await run(process.execPath, [join(root, 'bundle.mjs')])).to.equal('hello function true\n');
    expect(await bundleProgram(root)).to.deep.equal(bundles);
  });

  const lateOnes = {
    'node-ssh': 'NodeSSH',
    '@peculiar/x509': 'X509CertificateGenerator',
    '@kubernetes/client-node': 'KubeConfig',
  };
  for (const [library, name] of Object.entries(lateOnes)) {
    it(`has ${library}, which is loaded when it is needed, with its names and without native parts`, async () => {
      await symlink(join(projectRoot, 'node_modules'), join(root, 'node_modules'));
      const text = `await import('reflect-metadata');\nconst { ${name} } = await import('${library}');\nnew ${name}();\n`;
      await write('operator/main.ts', `${text}console.log(typeof ${name});\n`);
      const { files } = await bundleProgram(root);
      await rm(join(root, 'node_modules'));
      await Promise.all(files.map(file => write(file.name, file.text)));
      expect(await run(process.execPath, [join(root, 'polardb-stack.mjs')])).to.equal('function\n');
    });
  }

  it('issues certificates', async () => {
    await symlink(join(projectRoot, 'operator/pki'), join(root, 'operator/pki'));
    await write(
      'operator/main.ts',
      "import { createCa } from './pki/ca.ts';\nconst { certificate } = await createCa({ now: new Date() });\nconsole.log(certificate.split('\\n')[0]);\n",
    );
    const { files } = await bundleProgram(root);
    await Promise.all(files.map(({ name, text }) => write(name, text)));
    expect(await run(process.execPath, [join(root, 'polardb-stack.mjs')])).to.equal('-----BEGIN CERTIFICATE-----\n');
  });

  it('is known without bundling while nothing has changed', async () => {
    await currentProgram(root, cache);
    const [memo = ''] = await readdir(cache);
    const kept = JSON.parse(await readFile(join(cache, memo), 'utf8')) as object;
    await writeFile(join(cache, memo), JSON.stringify({ ...kept, digest: 'from the cache' }));
    expect((await currentProgram(root, cache)).digest).to.equal('from the cache');
  });

  for (const [what, path, text, isOther] of [
    ['a changed source', 'operator/word.ts', "export const word = 'bye';\n", true],
    ['a changed comment', 'operator/word.ts', "/** Why. */ export const word: string = 'hello';\n", false],
    ['other packages', 'package-lock.json', '{"name":"x"}', false],
  ] as const) {
    it(`is bundled anew for ${what}, and is ${isOther ? 'another' : 'the same'} then`, async () => {
      const before = await currentProgram(root, cache);
      await write(path, text);
      expect((await currentProgram(root, cache)).digest !== before.digest).to.equal(isOther);
    });
  }

  it('is bundled anew when a source file is gone', async () => {
    await currentProgram(root, cache);
    await write('operator/main.ts', "console.log('alone');\n");
    await rm(join(root, 'operator/word.ts'));
    const [file] = await (await currentProgram(root, cache)).files();
    expect(file?.text).to.include('alone');
  });
});
