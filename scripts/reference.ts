/** Writes docs/reference/ from the CustomResourceDefinitions. */
import { mkdir, writeFile } from 'node:fs/promises';
import { KINDS } from '../crds/definitions.ts';
import { referencePage } from '../crds/reference.ts';

const folder = new URL('../docs/reference/', import.meta.url);
await mkdir(folder, { recursive: true });
for (const crd of KINDS) await writeFile(new URL(`${crd.spec.names.singular}.md`, folder), referencePage(crd));
