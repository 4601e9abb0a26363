import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { installation, samples } from './app.ts';
import { checkSite } from './schema.ts';
import { site } from './site.ts';

/**
 * Writes the YAML of the site, `overrides` merged over it, to `outdir`, and sample clusters below it. Files of an earlier
 * run that no chart writes any more are gone afterwards.
 * @throws Error naming each wrong field; the last good files are left alone then
 */
export function synth(outdir: string, overrides?: unknown): void {
  const apps = [installation(checkSite(site, overrides), outdir), samples(join(outdir, 'clusters'))];
  for (const app of apps) {
    mkdirSync(app.outdir, { recursive: true });
    const old = readdirSync(app.outdir).filter(file => file.endsWith('.yaml'));
    for (const file of old) rmSync(join(app.outdir, file));
    app.synth();
  }
}
