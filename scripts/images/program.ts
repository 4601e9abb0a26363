import { build, type Plugin } from 'esbuild';
import { existsSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { basename, join } from 'node:path';
import { projectRoot } from '../kubernetes/paths.ts';

/** Bundles of the image and the source of each. The agent has its own, because it must stay small in memory. */
export const entries: Readonly<Record<string, string>> = {
  'polardb-stack': 'operator/main.ts',
  agent: 'operator/agent/main.ts',
};

/** A file of the bundled program. */
export interface ProgramFile {
  name: string;
  text: string;
}

export interface Bundles {
  files: ProgramFile[];
  /** Files that were bundled, by their path below the root; sorted. */
  inputs: string[];
}

/** What CommonJS packages in an ESM bundle expect: `require` for Node's own modules, and where they lie. */
const banner =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" +
  ' const { filename: __filename, dirname: __dirname } = import.meta;';

const BUILTIN = 'builtin';

/**
 * Node's own modules are taken as they are instead of imported: an import reads every property of a module to make its
 * names, and some of these load others (`node:http` brings a whole web client). An agent starts with half the work.
 */
const takeBuiltins: Plugin = {
  name: 'take-builtins',
  setup(bundler) {
    bundler.onResolve({ filter: /^[a-z_:/0-9]+$/ }, ({ path, kind }) => {
      const isBuiltin = path.startsWith('node:') || builtinModules.includes(path);
      return isBuiltin && kind === 'import-statement' ? { path, namespace: BUILTIN } : undefined;
    });
    bundler.onLoad({ filter: /.*/, namespace: BUILTIN }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    }));
  },
};

/**
 * Bundles the program, one file per entry and one for each part that is loaded when it is needed: a source that nobody
 * runs takes its size in memory all the same. The same source gives the same bytes.
 */
export async function bundleProgram(root: string = projectRoot): Promise<Bundles> {
  const present = Object.entries(entries).filter(([, source]) => existsSync(join(root, source)));
  const bundles = await Promise.all(present.map(([name, source]) => bundle(root, name, source)));
  const inputs = new Set(bundles.flatMap(one => one.inputs));
  return { files: bundles.flatMap(({ files }) => files), inputs: [...inputs].sort() };
}

async function bundle(root: string, name: string, source: string): Promise<{ files: ProgramFile[]; inputs: string[] }> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: { [name]: source },
    bundle: true,
    // A pod takes the agent's one file alone (builders/pod.ts).
    splitting: name !== 'agent',
    // Nothing is written: only the names below it count.
    outdir: '/',
    outExtension: { '.js': '.mjs' },
    chunkNames: `${name}-[hash]`,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    // Of a CommonJS module that is loaded when it is needed, only its default would come through.
    mainFields: ['module', 'main'],
    minifySyntax: true,
    minifyWhitespace: true,
    // Optional parts of pg, and native ones of ssh2, which does all in JavaScript without them.
    external: ['pg-native', 'cloudflare:sockets', 'cpu-features', '*.node'],
    plugins: [takeBuiltins],
    banner: { js: banner },
    logLevel: 'silent',
  });
  return {
    files: outputFiles.map(({ path, text }) => ({ name: basename(path), text })).sort(entryFirst(`${name}.mjs`)),
    inputs: Object.keys(metafile.inputs).filter(input => !input.startsWith(`${BUILTIN}:`)),
  };
}

const entryFirst =
  (entry: string) =>
  (a: ProgramFile, b: ProgramFile): number =>
    Number(b.name === entry) - Number(a.name === entry) || (a.name < b.name ? -1 : 1);
