import { readFileSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const USAGE = `Usage: npm run synth [-- --site FILE] [-- --out DIRECTORY]

Writes the installation of site.ts as YAML, for "kubectl apply -f dist/", and sample clusters below clusters/.
  --site FILE      JSON with fields to change, merged over site.ts
  --out DIRECTORY  where to write; default dist/
`;

async function main(): Promise<void> {
  // A third of a run is compiling cdk8s; the second run finds it done.
  enableCompileCache();
  const { synth } = await import('./synth.ts');
  const { values } = parseArgs({
    options: { site: { type: 'string' }, out: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) process.stdout.write(USAGE);
  else synth(values.out ?? join(import.meta.dirname, '../dist'), values.site && readJson(values.site));
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`--site ${file}: ${(error as Error).message}`, { cause: error });
  }
}

try {
  await main();
} catch (error) {
  // A person reads this: what is wrong, without a stack.
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
