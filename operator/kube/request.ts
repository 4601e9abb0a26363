import type { Call, Verb } from './call.ts';
import { describeCall } from './call.ts';
import { errorOfEvent, KubeError } from './errors.ts';
import { pathOf, type ResourceType } from './resources.ts';
import type { KubeObject, ObjectRef, WatchEvent } from './types.ts';

/** Undefined values are left out. */
export type Query = Record<string, string | number | boolean | undefined>;
export type Target = Partial<ObjectRef> & { subresource?: string };

const METHOD = {
  get: 'GET',
  list: 'GET',
  watch: 'GET',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
} as const;

interface BuiltRequest {
  method: (typeof METHOD)[Verb];
  path: string;
  headers: Record<string, string>;
  body?: string;
}

/** The HTTP request of a call. @throws KubeError when an object of a namespaced kind is named without its namespace */
export function requestOf(
  type: ResourceType,
  verb: Verb,
  target: Target,
  parts: { query?: Query | undefined; body?: object | undefined; contentType?: string | undefined },
): { call: Call; request: BuiltRequest } {
  const { subresource, namespace, name } = target;
  const resource = subresource ? `${type.plural}/${subresource}` : type.plural;
  const call: Call = { verb, apiVersion: type.apiVersion, resource, namespace, name };
  if (type.namespaced && !namespace && verb !== 'list' && verb !== 'watch') {
    throw new KubeError({ status: 400, reason: 'BadRequest', message: `${describeCall(call)}: no namespace given` });
  }
  const request: BuiltRequest = {
    method: METHOD[verb],
    path: pathOf(type, target) + queryString(parts.query ?? {}),
    headers: { accept: 'application/json' },
  };
  if (parts.body) {
    request.headers['content-type'] = parts.contentType ?? 'application/json';
    request.body = JSON.stringify(parts.body);
  }
  return { call, request };
}

/** A line of a watch, before anything about it is known. */
export interface RawEvent<T> {
  type?: string;
  object?: T;
}

/** The event of a line; undefined for what this version does not know. @throws KubeError for an ERROR event */
export function watchEvent<T extends KubeObject>(what: string, raw: RawEvent<T>): WatchEvent<T> | undefined {
  const { type, object } = raw;
  if (type === 'ERROR') throw errorOfEvent(what, object as object);
  if (!object) return undefined;
  if (type === 'BOOKMARK') return { type, resourceVersion: object.metadata.resourceVersion ?? '' };
  if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') return { type, object };
  return undefined;
}

/** Passes chunks on and tells of each. */
export async function* noticing(chunks: AsyncIterable<Buffer>, seen: () => void): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    seen();
    yield chunk;
  }
}

/** Path parts of an object; the rest of its metadata is no part of a request's target. */
export function at(ref: ObjectRef): Target {
  return { namespace: ref.namespace, name: ref.name };
}

function queryString(query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const text = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString();
  return text && `?${text}`;
}
