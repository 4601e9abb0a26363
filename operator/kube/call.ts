import { sleep, type Clock } from './clock.ts';
import { errorOfAnswer, errorOfTransport, isReason, KubeError } from './errors.ts';
import type { HttpRequest, Transport } from './transport.ts';
import type { ObjectRef } from './types.ts';

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';

/** One request as RBAC and the audit log name it. */
export interface Call extends Partial<ObjectRef> {
  verb: Verb;
  apiVersion: string;
  /** Plural; a subresource after a slash (`mpdclusters/status`). */
  resource: string;
}

/** Sees every request that goes out, each attempt for itself. */
export interface CallHook {
  /** May throw: then the request is not sent, and the caller gets this error as it is. */
  before?(call: Call): void | Promise<void>;
  /** `status` 0: no answer came. */
  after?(call: Call, outcome: { status: number; durationMs: number }): void;
}

export interface CallOptions {
  /** Limit for the whole call with its waits, ms. Default: the client's (30 s). */
  timeoutMs?: number;
  signal?: AbortSignal;
}

export interface Limits {
  timeoutMs: number;
  /** Longest total wait on an overloaded server (429, 503 with Retry-After) within one call, ms. */
  maxWaitMs: number;
}

/** Name of a call in errors and logs: `patch mpdclusters/status team-a/orders`. */
export function describeCall(call: Call): string {
  const name = [call.namespace, call.name].filter(Boolean).join('/');
  return `${call.verb} ${call.resource}${name && ` ${name}`}`;
}

/**
 * May this failed attempt be repeated inside the call? Returns the wait in ms, or undefined. Only what the server has
 * surely not processed is repeated; a write of unknown outcome goes back to the reconciler, which looks first.
 */
export function retryDelay(error: KubeError, attempt: number, isRead: boolean): number | undefined {
  const isOverload = error.status === 429 || (error.status === 503 && error.retryAfterMs !== undefined);
  if (isOverload) return error.retryAfterMs ?? Math.min(100 * 2 ** attempt, 5_000);
  // A kept-alive connection that the server closed at the same moment.
  if (error.reason === 'Network' && isRead && attempt === 0) return 0;
  return undefined;
}

/** Sends calls: hooks, counting, time limit, waiting on overload, fresh credentials on refusal. */
export class Caller {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly #hooks: readonly CallHook[];
  readonly #limits: Limits;
  readonly #counter: { sent: number };

  constructor(
    transport: Transport,
    options: { clock: Clock; hooks: readonly CallHook[]; limits: Limits; counter?: { sent: number } },
  ) {
    this.transport = transport;
    this.clock = options.clock;
    this.#hooks = options.hooks;
    this.#limits = options.limits;
    this.#counter = options.counter ?? { sent: 0 };
  }

  /** Requests sent so far, watches and repeats included. */
  get sent(): number {
    return this.#counter.sent;
  }

  /** The same connections and counter, with further hooks. */
  with(hooks: readonly CallHook[]): Caller {
    return new Caller(this.transport, {
      clock: this.clock,
      hooks: [...this.#hooks, ...hooks],
      limits: this.#limits,
      counter: this.#counter,
    });
  }

  /** Sends and returns the parsed answer. @throws KubeError, or what a hook threw */
  async send(call: Call, request: Omit<HttpRequest, 'signal'>, options: CallOptions = {}): Promise<unknown> {
    const limit = AbortSignal.timeout(options.timeoutMs ?? this.#limits.timeoutMs);
    const signal = options.signal ? AbortSignal.any([limit, options.signal]) : limit;
    let waited = 0;
    for (let attempt = 0; ; attempt++) {
      const result = await this.#attempt(call, { ...request, signal }, limit);
      if (!(result instanceof KubeError)) return result.answer;
      const delay = await this.#mayRetry(result, call, attempt);
      if (delay === undefined || waited + delay > this.#limits.maxWaitMs || signal.aborted) throw result;
      waited += delay;
      await sleep(this.clock, delay, signal);
    }
  }

  /** Opens a stream; its errors while being read are the reader's. @throws KubeError when it is not opened */
  async open(call: Call, request: HttpRequest): Promise<AsyncIterable<Buffer>> {
    for (let attempt = 0; ; attempt++) {
      const started = await this.#begin(call);
      try {
        const response = await this.transport.request({ ...request, stream: true });
        this.#end(call, response.statusCode, started);
        if (response.statusCode < 400) return response.body;
        throw await this.#refusal(call, response);
      } catch (error) {
        const known = errorOfTransport(describeCall(call), error);
        if (known.status === 0) this.#end(call, 0, started);
        if (attempt > 0 || !(await this.#hasNewCredentials(known))) throw known;
      }
    }
  }

  async #attempt(call: Call, request: HttpRequest, limit: AbortSignal): Promise<KubeError | { answer: unknown }> {
    const started = await this.#begin(call);
    try {
      const response = await this.transport.request(request);
      this.#end(call, response.statusCode, started);
      if (response.statusCode >= 400) return await this.#refusal(call, response);
      return { answer: await response.body.json() };
    } catch (error) {
      this.#end(call, 0, started);
      const reason = limit.aborted ? 'Timeout' : request.signal.aborted ? 'Aborted' : undefined;
      return errorOfTransport(describeCall(call), error, reason);
    }
  }

  async #begin(call: Call): Promise<number> {
    for (const hook of this.#hooks) await hook.before?.(call);
    this.#counter.sent++;
    return this.clock.now();
  }

  #end(call: Call, status: number, started: number): void {
    const outcome = { status, durationMs: this.clock.now() - started };
    for (const hook of this.#hooks) hook.after?.(call, outcome);
  }

  async #refusal(call: Call, response: Awaited<ReturnType<Transport['request']>>): Promise<KubeError> {
    const header = response.headers['retry-after'];
    const answer = {
      status: response.statusCode,
      body: await response.body.text(),
      retryAfter: Array.isArray(header) ? header[0] : header,
    };
    return errorOfAnswer(describeCall(call), answer, this.clock.date());
  }

  async #mayRetry(error: KubeError, call: Call, attempt: number): Promise<number | undefined> {
    if (attempt === 0 && (await this.#hasNewCredentials(error))) return 0;
    return retryDelay(error, attempt, call.verb === 'get' || call.verb === 'list');
  }

  /** A refused token or certificate is often one that was rotated a moment ago. */
  async #hasNewCredentials(error: KubeError): Promise<boolean> {
    if (error.status !== 401 && !isReason(error, 'Tls')) return false;
    return this.transport.refresh().catch(() => false);
  }
}
