import type * as z from 'zod';
import { UserError } from '../operator/model/errors.ts';

/** The part of Kubernetes' ObjectMeta that our kinds use, as it is in JSON. */
export interface ObjectMeta {
  name: string;
  namespace: string;
  uid: string;
  resourceVersion: string;
  generation: number;
  creationTimestamp: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
  managedFields?: ManagedFields[];
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface ManagedFields {
  manager?: string;
  operation?: string;
  subresource?: string;
  time?: string;
  fieldsV1?: unknown;
}

/** An object as it comes from the API server, before its spec and status are known to be right. */
export interface RawObject {
  metadata: ObjectMeta;
  spec?: unknown;
  status?: unknown;
}

export type Parsed<T> = { value: T; problems?: undefined } | { value?: undefined; problems: UserError[] };

/** Reads data by a schema. Each problem names its field below `at` (`spec.storage.size`). */
export function parse<S extends z.ZodType>(schema: S, data: unknown, at: string): Parsed<z.output<S>> {
  const result = schema.safeParse(data);
  if (result.success) return { value: result.data };
  return {
    problems: result.error.issues.map(
      ({ path, message }) => new UserError([at, ...path.map(String)].join('.'), message),
    ),
  };
}
