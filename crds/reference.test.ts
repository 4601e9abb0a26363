import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { KINDS } from './definitions.ts';
import { referencePage } from './reference.ts';

describe('docs/reference', () => {
  for (const crd of KINDS) {
    const file = `docs/reference/${crd.spec.names.singular}.md`;
    it(`${file} is up to date (else: node scripts/reference.ts)`, async () =>
      expect(await readFile(new URL(`../${file}`, import.meta.url), 'utf8')).to.equal(referencePage(crd)));
  }
});
