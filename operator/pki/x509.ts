import type * as Library from '@peculiar/x509';

/**
 * Loads the certificate library (and the polyfill it cannot be loaded without) when something has to be issued: it
 * costs about 100 ms and 22 MiB, and an operator that only watches certificates needs neither.
 */
export async function loadX509(): Promise<typeof Library> {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}
