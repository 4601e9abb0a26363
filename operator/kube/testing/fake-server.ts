import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { FakeStore, Refusal, type Location, type StoredObject, type StoreEvent } from './fake-store.ts';

/**
 * Test only: an API server that does what a real one does on a bad day, on demand. It knows lists with pages, watches
 * with bookmarks, versions, finalizers, merge patches; not schemas, defaults or field ownership.
 */

/** What goes wrong with a request. `hang` never answers; `reset` cuts the connection. */
export type Fault =
  'reset' | 'hang' | { status: number; headers?: Record<string, string>; body?: object } | { delayMs: number };

interface FaultRule {
  matches: (method: string, url: string) => boolean;
  fault: Fault;
  /** How many more requests it hits. */
  left: number;
}

interface Watcher extends Location {
  response: ServerResponse;
  selects: (object: StoredObject) => boolean;
  /** A half-open connection: nothing arrives any more, nothing is closed. */
  muted: boolean;
}

export class FakeServer {
  readonly store = new FakeStore();
  /** `GET /api/v1/pods?limit=500`, in order. */
  readonly requests: string[] = [];
  /** Bearer token that is demanded, if any. */
  token: string | undefined;
  /** Answer old versions by an HTTP status, as some proxies and versions do, instead of an ERROR event. */
  goneByStatus = false;
  readonly watchers = new Set<Watcher>();
  readonly #rules: FaultRule[] = [];
  readonly #server: Server | TlsServer;
  connections = 0;

  constructor(tls?: { key: string; cert: string }) {
    const handler = (request: IncomingMessage, response: ServerResponse): void => void this.#handle(request, response);
    this.#server = tls ? createTlsServer(tls, handler) : createServer(handler);
    this.#server.on(tls ? 'secureConnection' : 'connection', () => this.connections++);
    this.store.onEvent = event => this.#publish(event);
  }

  async start(port = 0): Promise<string> {
    await new Promise<void>(resolve => this.#server.listen(port, '127.0.0.1', resolve));
    const scheme = 'setSecureContext' in this.#server ? 'https' : 'http';
    return `${scheme}://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Cuts everything and stops listening: the server is gone. */
  async stop(): Promise<void> {
    const closed = new Promise(resolve => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  /** A certificate of another authority; connections must be made anew. */
  rotate(tls: { key: string; cert: string }): void {
    (this.#server as TlsServer).setSecureContext(tls);
    this.#server.closeAllConnections();
  }

  /** The next `times` requests whose `METHOD url` holds `text` meet the fault. */
  fail(text: string, fault: Fault, times = 1): void {
    this.#rules.push({ matches: (method, url) => `${method} ${url}`.includes(text), fault, left: times });
  }

  count(text: string): number {
    return this.requests.filter(line => line.includes(text)).length;
  }

  /** Ends all watches: `end` politely, `reset` by cutting, `silence` without a sign. */
  breakWatches(how: 'end' | 'reset' | 'silence'): void {
    for (const watcher of this.watchers) {
      if (how === 'silence') watcher.muted = true;
      else if (how === 'end') watcher.response.end();
      else watcher.response.socket?.resetAndDestroy();
      this.watchers.delete(watcher);
    }
  }

  /** Sends a raw line to all watches. */
  sendLine(event: object): void {
    for (const watcher of this.watchers) this.#send(watcher, event);
  }

  sendBookmarks(): void {
    const metadata = { resourceVersion: String(this.store.version) };
    this.sendLine({ type: 'BOOKMARK', object: { kind: 'Bookmark', metadata } });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? '';
    const method = request.method ?? '';
    this.requests.push(`${method} ${url}`);
    const body = await readBody(request);
    const rule = this.#rules.find(candidate => candidate.left > 0 && candidate.matches(method, url));
    if (rule) {
      rule.left--;
      if (!(await suffer(rule.fault, response))) return;
    }
    try {
      if (this.token !== undefined && request.headers.authorization !== `Bearer ${this.token}`) {
        throw new Refusal(401, 'Unauthorized');
      }
      this.#answer(method, new URL(url, 'http://fake'), { body, response });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      answerStatus(response, error);
    }
  }

  #answer(method: string, url: URL, io: { body: string; response: ServerResponse }): void {
    const at = locate(url.pathname);
    if (method === 'GET' && url.searchParams.has('watch')) {
      this.#watch(at, url.searchParams, io.response);
      return;
    }
    if (method === 'GET' && at.name === undefined) {
      answer(io.response, 200, this.#list(at, url.searchParams));
      return;
    }
    answer(
      io.response,
      method === 'POST' ? 201 : 200,
      this.#act(url.searchParams.has('force') ? 'APPLY' : method, at, io.body),
    );
  }

  #act(method: string, at: Location, body: string): StoredObject {
    const given = (body === '' ? {} : JSON.parse(body)) as StoredObject & { preconditions?: object };
    if (method === 'GET') return this.store.read(at);
    if (method === 'POST') return this.store.create(at, given);
    if (method === 'DELETE') return this.store.delete(at, given.preconditions);
    if (method === 'PUT') return this.store.update(at, given);
    // Server-side apply makes what is missing.
    if (method === 'APPLY' && !this.store.select(at).some(object => object.metadata.name === at.name))
      return this.store.create(at, given);
    return this.store.update(at, merge(this.store.read(at), given) as StoredObject);
  }

  #list(at: Location, query: URLSearchParams): object {
    const all = this.store.select(at).filter(selector(query));
    const from = Number(query.get('continue') ?? 0);
    const limit = Number(query.get('limit') ?? 0) || all.length;
    const more = from + limit < all.length ? String(from + limit) : '';
    const items = all.slice(from, from + limit).map(object => ({ ...object, kind: undefined, apiVersion: undefined }));
    const kind = `${all[0]?.kind ?? 'Object'}List`;
    return { kind, metadata: { resourceVersion: String(this.store.version), continue: more }, items };
  }

  #watch(at: Location, query: URLSearchParams, response: ServerResponse): void {
    const since = Number(query.get('resourceVersion'));
    const isGone = since < this.store.compactedTo;
    if (isGone && this.goneByStatus) throw new Refusal(410, 'Expired', 'too old resource version');
    const watcher: Watcher = { ...at, response, selects: selector(query), muted: false };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    if (isGone) {
      this.#send(watcher, {
        type: 'ERROR',
        object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' },
      });
      response.end();
      return;
    }
    for (const event of this.store.history) if (event.version > since) this.#offer(watcher, event);
    this.watchers.add(watcher);
    response.on('close', () => this.watchers.delete(watcher));
  }

  #publish(event: StoreEvent): void {
    for (const watcher of this.watchers) this.#offer(watcher, event);
  }

  #offer(watcher: Watcher, event: StoreEvent): void {
    const { object, previous } = event;
    if (watcher.collection !== event.collection) return;
    if (watcher.namespace && watcher.namespace !== object.metadata.namespace) return;
    const isIn = watcher.selects(object);
    const wasIn = previous !== undefined && watcher.selects(previous);
    if (isIn) this.#send(watcher, { type: event.type === 'MODIFIED' && !wasIn ? 'ADDED' : event.type, object });
    else if (wasIn) this.#send(watcher, { type: 'DELETED', object });
  }

  #send(watcher: Watcher, event: object): void {
    if (!watcher.muted) watcher.response.write(`${JSON.stringify(event)}\n`);
  }
}

/** Lets the fault happen; true if the request goes on afterwards. */
async function suffer(fault: Fault, response: ServerResponse): Promise<boolean> {
  if (fault === 'hang') return false;
  if (fault === 'reset') {
    response.socket?.resetAndDestroy();
    return false;
  }
  if ('delayMs' in fault) {
    await new Promise(resolve => setTimeout(resolve, fault.delayMs));
    return true;
  }
  answer(
    response,
    fault.status,
    fault.body ?? { kind: 'Status', code: fault.status, message: 'injected' },
    fault.headers,
  );
  return false;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function answer(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

function answerStatus(response: ServerResponse, refusal: Refusal): void {
  answer(response, refusal.code, {
    kind: 'Status',
    code: refusal.code,
    reason: refusal.reason,
    message: refusal.message,
  });
}

function locate(path: string): Location {
  const parts = path.split('/').filter(Boolean).map(decodeURIComponent);
  const version = parts.shift() === 'api' ? [parts.shift()] : [parts.shift(), parts.shift()];
  const namespace = parts[0] === 'namespaces' && parts.length > 2 ? parts.splice(0, 2)[1] : undefined;
  const [plural, name, subresource] = parts;
  return { collection: [...version, plural].join('/'), namespace, name, subresource };
}

function selector(query: URLSearchParams): (object: StoredObject) => boolean {
  const labels = pairs(query.get('labelSelector'));
  const name = pairs(query.get('fieldSelector')).find(([field]) => field === 'metadata.name')?.[1];
  return ({ metadata }) =>
    (name === undefined || metadata.name === name) && labels.every(([key, value]) => metadata.labels?.[key] === value);
}

function pairs(text: string | null): [string, string][] {
  if (!text) return [];
  return text.split(',').map(pair => pair.split('=') as [string, string]);
}

/** RFC 7386. */
export function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const isObject = typeof target === 'object' && target !== null && !Array.isArray(target);
  const result = new Map<string, unknown>(isObject ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) result.delete(key);
    else result.set(key, merge(result.get(key), value));
  }
  return Object.fromEntries(result);
}
