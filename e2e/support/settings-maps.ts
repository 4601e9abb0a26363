import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { synth } from '../../manifests/synth.ts';
import type { ConfigMap } from '../../operator/kube/resources.ts';

/** The site's maps, as they are installed. @param site what is not as it is shipped */
export async function settingsMaps(site: object): Promise<ConfigMap[]> {
  const dist = await mkdtemp(join(tmpdir(), 'settings-'));
  try {
    synth(dist, site);
    const text = await readFile(join(dist, '0003-settings.yaml'), 'utf8');
    return parseAllDocuments(text).map(document => document.toJS() as ConfigMap);
  } finally {
    await rm(dist, { recursive: true });
  }
}
