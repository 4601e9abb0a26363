import { ApiObject } from 'cdk8s';
import type { Construct } from 'constructs';

/** What every manifest has; `metadata.name` is given, so that no name carries a hash. */
export interface Manifest {
  apiVersion?: string;
  kind?: string;
  metadata?: { name?: string; namespace?: string; labels?: Readonly<Record<string, string>> };
}

/**
 * A plain object as it is written, typed by the client's own types. Unlike constructs of cdk8s-plus it is not filtered
 * by an older schema.
 */
export function manifest(scope: Construct, object: Manifest): ApiObject {
  const { apiVersion, kind, metadata } = object;
  if (!apiVersion || !kind || !metadata?.name) throw new Error('a manifest needs apiVersion, kind and metadata.name');
  const id = [kind, metadata.namespace, metadata.name].filter(part => part !== undefined).join('.');
  return new ApiObject(scope, id, { ...object, apiVersion, kind, metadata });
}
