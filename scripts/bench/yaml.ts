import { build } from 'esbuild';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { KINDS } from '../../crds/definitions.ts';
import { projectRoot } from '../kubernetes/paths.ts';
import { run } from '../kubernetes/run.ts';
import type { Figure } from './figures.ts';

const RUNS = 7;

/** Time and size of what `npm run synth` writes. */
export async function measureYaml(): Promise<Figure[]> {
  const directory = await mkdtemp(join(tmpdir(), 'polardb-stack-bench-'));
  try {
    const out = join(directory, 'dist');
    const source = await synthTimes([join(projectRoot, 'manifests/main.ts'), '--out', out]);
    const bundle = join(projectRoot, 'manifests', '.bench-bundle.mjs');
    await bundleSynth(bundle);
    const compiled = await synthTimes([bundle, '--out', out]).finally(() => rm(bundle));
    return [
      {
        name: 'synth, from source',
        unit: 's',
        values: source,
        kind: 'time',
        note: 'a whole process, as npm run synth starts it',
      },
      { name: 'synth, compiled', unit: 's', values: compiled, atMost: 0.5, kind: 'time', note: 'one bundled file' },
      ...(await sizes(out)),
    ];
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function synthTimes(args: readonly string[]): Promise<number[]> {
  // The first run fills Node's compile cache.
  await run('node', args);
  const times: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    const began = performance.now();
    await run('node', args);
    times.push((performance.now() - began) / 1000);
  }
  return times;
}

/** Sources find their tables by `import.meta`, so each keeps its own place. */
async function bundleSynth(outfile: string): Promise<void> {
  await build({
    absWorkingDir: projectRoot,
    entryPoints: ['manifests/main.ts'],
    bundle: true,
    outfile,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    minify: true,
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url); const __dirname = import.meta.dirname;",
    },
    logLevel: 'silent',
    plugins: [
      {
        name: 'own-dirname',
        setup(bundler) {
          bundler.onLoad({ filter: /\/manifests\/.*\.ts$/ }, async ({ path }) => {
            const text = await readFile(path, 'utf8');
            const own = text
              .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)))
              .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href));
            return { loader: 'ts', contents: own };
          });
        },
      },
    ],
  });
}

async function sizes(out: string): Promise<Figure[]> {
  const files = (await readdir(out)).filter(name => name.endsWith('.yaml'));
  const bytes = await Promise.all(files.map(async name => (await stat(join(out, name))).size));
  const crds = KINDS.map(kind => JSON.stringify(kind).length);
  return [
    { name: 'largest CRD as JSON', unit: 'kB', values: [Math.max(...crds) / 1000], atMost: 100, kind: 'count' },
    {
      name: 'all YAML',
      unit: 'kB',
      values: [bytes.reduce((sum, it) => sum + it, 0) / 1000],
      atMost: 250,
      kind: 'count',
    },
  ];
}
