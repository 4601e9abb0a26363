import { build } from 'esbuild';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
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

/** CommonJS packages in an ESM bundle call `require` for Node's own modules. */
const banner =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/** Bundles the program, one file per entry; the same source gives the same bytes. */
export async function bundleProgram(root: string = projectRoot): Promise<ProgramFile[]> {
  const present = Object.entries(entries).filter(([, source]) => existsSync(join(root, source)));
  const bundles = present.map(async ([name, source]) => {
    const { outputFiles } = await build({
      absWorkingDir: root,
      entryPoints: [source],
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'node',
      target: 'node24',
      minifySyntax: true,
      minifyWhitespace: true,
      // Optional parts of pg that are not installed.
      external: ['pg-native', 'cloudflare:sockets'],
      banner: { js: banner },
      logLevel: 'silent',
    });
    return { name: `${name}.mjs`, text: outputFiles.map(file => file.text).join('') };
  });
  return await Promise.all(bundles);
}
