import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { installation } from './app.ts';
import { checkSite } from './schema.ts';
import { site } from './site.ts';

const USAGE = `Usage: npm run synth [-- --site FILE] [-- --out DIRECTORY]

Writes the installation of site.ts as YAML, for "kubectl apply -f dist/".
  --site FILE      JSON with fields to change, merged over site.ts
  --out DIRECTORY  where to write; default dist/`;

/** Writes the YAML; files of an earlier run that no chart writes any more are gone afterwards. */
function synth(siteFile: string | undefined, outdir: string): void {
  const overrides: unknown = siteFile === undefined ? undefined : JSON.parse(readFileSync(siteFile, 'utf8'));
  const app = installation(checkSite(site, overrides), outdir);
  mkdirSync(outdir, { recursive: true });
  for (const file of readdirSync(outdir)) {
    if (file.endsWith('.yaml')) rmSync(join(outdir, file));
  }
  app.synth();
}

try {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  const { values } = parseArgs({
    options: { site: { type: 'string' }, out: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) process.stdout.write(`${USAGE}\n`);
  else synth(values.site, values.out ?? join(root, 'dist'));
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
