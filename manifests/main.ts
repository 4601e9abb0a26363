import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { synth } from './synth.ts';

const USAGE = `Usage: npm run synth [-- --site FILE] [-- --out DIRECTORY]

Writes the installation of site.ts as YAML, for "kubectl apply -f dist/", and sample clusters below clusters/.
  --site FILE      JSON with fields to change, merged over site.ts
  --out DIRECTORY  where to write; default dist/
`;

function main(): void {
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
  main();
} catch (error) {
  // A person reads this: what is wrong, without a stack.
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
