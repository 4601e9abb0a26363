import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory for one test of a suite, gone afterwards. Call it in a `describe`. */
export function scratch(): { path: (name: string) => string } {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'engine-unit-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));
  return { path: name => join(directory, name) };
}
