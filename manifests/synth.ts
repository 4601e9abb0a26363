import type { App } from 'cdk8s';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installation, samples } from './app.ts';
import { checkSite } from './schema.ts';
import { site } from './site.ts';

/**
 * Writes the YAML of the site, `overrides` merged over it, to `outdir`, and sample clusters below it. Files of an earlier
 * run that no chart writes any more are gone afterwards. Each file is replaced whole: who reads the directory meanwhile,
 * or after a kill, never misses one.
 * @throws Error naming each wrong field; the last good files are left alone then
 */
export function synth(outdir: string, overrides?: unknown): void {
  const checked = checkSite(site, overrides);
  const made = mkdtempSync(join(tmpdir(), 'polardb-stack-synth-'));
  try {
    write(installation(checked, made), outdir);
    write(samples(join(made, 'clusters')), join(outdir, 'clusters'));
  } finally {
    rmSync(made, { recursive: true });
  }
}

function write(app: App, outdir: string): void {
  mkdirSync(app.outdir, { recursive: true });
  app.synth();
  const isYaml = (file: string): boolean => file.endsWith('.yaml');
  const files = readdirSync(app.outdir).filter(isYaml);
  mkdirSync(outdir, { recursive: true });
  for (const file of files) {
    const unfinished = join(outdir, `.${file}.new`);
    copyFileSync(join(app.outdir, file), unfinished);
    renameSync(unfinished, join(outdir, file));
  }
  const former = readdirSync(outdir).filter(file => isYaml(file) && !files.includes(file));
  for (const file of former) rmSync(join(outdir, file));
}
