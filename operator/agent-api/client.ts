import { Agent, request as httpsRequest } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { createSecureContext, type SecureContext } from 'node:tls';
import * as z from 'zod';
import { BeatStream } from './beat-stream.ts';
import type { AgentEndpoint, TlsMaterial } from './endpoint.ts';
import { AgentError } from './errors.ts';
import { reach } from './reach.ts';
import type * as requests from './requests.ts';
import * as answers from './state.ts';
import type {
  AgentState,
  CheckpointResult,
  MadeResult,
  Prepared,
  PromisesResult,
  Quorum,
  SettingsResult,
  SlotsResult,
  TaskState,
  VerifyResult,
} from './state.ts';

export type { AgentEndpoint, TlsMaterial } from './endpoint.ts';

/**
 * What others may do with one agent. Every call ends within its limit; every failure is an AgentError. Calls that
 * return a task answer when it has ended or after `waitMs` of the request, whichever is first; the same call with the
 * same request id can be repeated at any time and tells how it stands. A new attempt needs a new request id.
 */
export interface AgentClient {
  state(options?: CallOptions): Promise<AgentState>;
  /** A long call by its request id. @throws AgentError NotFound when this agent does not know it (any more) */
  task(requestId: string, options?: CallOptions): Promise<TaskState>;
  install(body: requests.InstallRequest, options?: CallOptions): Promise<TaskState>;
  start(body: requests.StartRequest, options?: CallOptions): Promise<TaskState>;
  promote(body: requests.PromoteRequest, options?: CallOptions): Promise<TaskState>;
  demote(body: requests.DemoteRequest, options?: CallOptions): Promise<TaskState>;
  stop(body: requests.StopRequest, options?: CallOptions): Promise<TaskState>;
  restart(body: requests.RestartRequest, options?: CallOptions): Promise<TaskState>;
  settings(body: requests.SettingsRequest, options?: CallOptions): Promise<SettingsResult>;
  slots(body: requests.SlotsRequest, options?: CallOptions): Promise<SlotsResult>;
  account(body: requests.AccountRequest, options?: CallOptions): Promise<MadeResult>;
  database(body: requests.DatabaseRequest, options?: CallOptions): Promise<MadeResult>;
}

/** What the cluster manager may do besides, and agents with each other (`promises`). */
export interface MemberClient extends AgentClient {
  resume(body: requests.ResumeRequest, options?: CallOptions): Promise<TaskState>;
  prepare(body: requests.PrepareRequest, options?: CallOptions): Promise<Prepared>;
  quorum(body: requests.QuorumRequest, options?: CallOptions): Promise<Quorum>;
  checkpoint(body: requests.CheckpointRequest, options?: CallOptions): Promise<CheckpointResult>;
  verify(body: requests.VerifyRequest, options?: CallOptions): Promise<VerifyResult>;
  /** Of agents only. */
  promises(body: requests.PromisesRequest, options?: CallOptions): Promise<PromisesResult>;
}

export interface CallOptions {
  /** Ends the call early. */
  signal?: AbortSignal;
  /** Limit of this call, ms, in place of the connector's. */
  limitMs?: number;
}

/** Limit of a call, ms, on top of the wait that its body asks for. */
const DEFAULT_LIMIT_MS = 5_000;
/** Answers are small; more than this is not an agent. */
const MAX_ANSWER_BYTES = 1024 * 1024;
/** An idle connection is closed by us before the agent's server closes it (65 s). */
const IDLE_CONNECTION_MS = 30_000;

/** Makes clients that share connections and one client certificate. */
export class AgentConnector {
  #tls: TlsMaterial;
  #context: SecureContext | undefined;
  #agent: Agent;
  readonly #limitMs: number;

  constructor(tls: TlsMaterial, limitMs = DEFAULT_LIMIT_MS) {
    this.#tls = tls;
    this.#limitMs = limitMs;
    this.#agent = newPool(tls);
  }

  /** A client of the agent at this endpoint; cheap, holds nothing. */
  to(endpoint: AgentEndpoint): MemberClient {
    return new HttpsAgentClient(endpoint, { pool: () => this.#agent, limitMs: this.#limitMs });
  }

  /** Begins a stream of beats to the agent at this endpoint. @param limitMs for connection and handshake together */
  beats(endpoint: AgentEndpoint, limitMs = this.#limitMs): BeatStream {
    return new BeatStream(endpoint, this.#secure(), limitMs);
  }

  /** Is there an agent at this endpoint? @throws AgentError `Unreachable` after `limitMs` at the latest */
  reach(endpoint: AgentEndpoint, limitMs: number): Promise<void> {
    return reach(endpoint, this.#secure(), limitMs);
  }

  /** Takes a renewed certificate or CA; calls under way end on their old connections. */
  renew(tls: TlsMaterial): void {
    if (tls.ca === this.#tls.ca && tls.cert === this.#tls.cert && tls.key === this.#tls.key) return;
    const former = this.#agent;
    this.#tls = tls;
    this.#context = undefined;
    this.#agent = newPool(tls);
    closeIdle(former);
  }

  /** Closes idle connections. */
  close(): void {
    this.#agent.destroy();
  }

  /** Made once: a cluster manager has a stream to each agent, and reads its certificate for all of them alike. */
  #secure(): SecureContext {
    this.#context ??= createSecureContext({ ...this.#tls, minVersion: 'TLSv1.3' });
    return this.#context;
  }
}

const newPool = (tls: TlsMaterial): Agent =>
  new Agent({ ...tls, keepAlive: true, maxSockets: 8, timeout: IDLE_CONNECTION_MS, minVersion: 'TLSv1.3' });

function closeIdle(pool: Agent): void {
  for (const sockets of Object.values(pool.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}

interface Connection {
  pool: () => Agent;
  limitMs: number;
}

interface Call<S extends z.ZodType> {
  method: 'GET' | 'PUT' | 'POST';
  path: string;
  body?: object & { waitMs?: number };
  answer: S;
  options?: CallOptions | undefined;
}

/** A {@link MemberClient} over HTTPS with mutual TLS. */
class HttpsAgentClient implements MemberClient {
  readonly #endpoint: AgentEndpoint;
  readonly #connection: Connection;

  constructor(endpoint: AgentEndpoint, connection: Connection) {
    this.#endpoint = endpoint;
    this.#connection = connection;
  }

  state = (options?: CallOptions): Promise<AgentState> =>
    this.#call({ method: 'GET', path: '/v1/state', answer: answers.agentStateSchema, options });

  task = (requestId: string, options?: CallOptions): Promise<TaskState> =>
    this.#call({
      method: 'GET',
      path: `/v1/tasks/${encodeURIComponent(requestId)}`,
      answer: answers.taskSchema,
      options,
    });

  install = (body: requests.InstallRequest, options?: CallOptions): Promise<TaskState> =>
    this.#call({ method: 'POST', path: '/v1/install', body, answer: answers.taskSchema, options });

  start = (body: requests.StartRequest, options?: CallOptions): Promise<TaskState> =>
    this.#call({ method: 'POST', path: '/v1/start', body, answer: answers.taskSchema, options });

  promote = (body: requests.PromoteRequest, options?: CallOptions): Promise<TaskState> =>
    this.#call({ method: 'POST', path: '/v1/promote', body, answer: answers.taskSchema, options });

  demote = (body: requests.DemoteRequest, options?: CallOptions): Promise<TaskState> =>
    this.#call({ method: 'POST', path: '/v1/demote', body, answer: answers.taskSchema, options });

  stop = (body: requests.StopRequest, options?: CallOptions): Promise<TaskState> =>
    this.#call({ method: 'POST', path: '/v1/stop', body, answer: answers.taskSchema, options });

  restart = (body: requests.RestartRequest, options?: CallOptions): Promise<TaskState> =>
    this.#call({ method: 'POST', path: '/v1/restart', body, answer: answers.taskSchema, options });

  resume = (body: requests.ResumeRequest, options?: CallOptions): Promise<TaskState> =>
    this.#call({ method: 'POST', path: '/v1/resume', body, answer: answers.taskSchema, options });

  prepare = (body: requests.PrepareRequest, options?: CallOptions): Promise<Prepared> =>
    this.#call({ method: 'POST', path: '/v1/prepare', body, answer: answers.preparedSchema, options });

  quorum = (body: requests.QuorumRequest, options?: CallOptions): Promise<Quorum> =>
    this.#call({ method: 'POST', path: '/v1/quorum', body, answer: answers.quorumSchema, options });

  checkpoint = (body: requests.CheckpointRequest, options?: CallOptions): Promise<CheckpointResult> =>
    this.#call({ method: 'POST', path: '/v1/checkpoint', body, answer: answers.checkpointResult, options });

  verify = (body: requests.VerifyRequest, options?: CallOptions): Promise<VerifyResult> =>
    this.#call({ method: 'POST', path: '/v1/verify', body, answer: answers.verifyResult, options });

  promises = (body: requests.PromisesRequest, options?: CallOptions): Promise<PromisesResult> =>
    this.#call({ method: 'POST', path: '/v1/promises', body, answer: answers.promisesResult, options });

  settings = (body: requests.SettingsRequest, options?: CallOptions): Promise<SettingsResult> =>
    this.#call({ method: 'PUT', path: '/v1/settings', body, answer: answers.settingsResult, options });

  slots = (body: requests.SlotsRequest, options?: CallOptions): Promise<SlotsResult> =>
    this.#call({ method: 'PUT', path: '/v1/slots', body, answer: answers.slotsResult, options });

  account = (body: requests.AccountRequest, options?: CallOptions): Promise<MadeResult> =>
    this.#call({ method: 'POST', path: '/v1/accounts', body, answer: answers.madeResult, options });

  database = (body: requests.DatabaseRequest, options?: CallOptions): Promise<MadeResult> =>
    this.#call({ method: 'POST', path: '/v1/databases', body, answer: answers.madeResult, options });

  async #call<S extends z.ZodType>(call: Call<S>): Promise<z.output<S>> {
    const limitMs = (call.options?.limitMs ?? this.#connection.limitMs) + (call.body?.waitMs ?? 0);
    const limit = AbortSignal.timeout(limitMs);
    const signal = call.options?.signal ? AbortSignal.any([limit, call.options.signal]) : limit;
    try {
      const answer = await this.#exchange(call, signal);
      return readAnswer(answer, call.answer);
    } catch (error) {
      if (error instanceof AgentError) throw error;
      const { address, port } = this.#endpoint;
      const why = limit.aborted ? `no answer in ${limitMs} ms` : messageOf(error);
      throw new AgentError('Unreachable', `agent ${address}:${port} ${call.method} ${call.path}: ${why}`, {
        cause: error,
      });
    }
  }

  #exchange(call: Call<z.ZodType>, signal: AbortSignal): Promise<Answer> {
    const { address, port, serverName } = this.#endpoint;
    const body = call.body === undefined ? undefined : JSON.stringify(call.body);
    const headers = {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    return new Promise((resolve, reject) => {
      const outgoing = httpsRequest(
        {
          host: address,
          port,
          servername: serverName,
          method: call.method,
          path: call.path,
          headers,
          signal,
          agent: this.#connection.pool(),
        },
        incoming => void readAll(incoming).then(text => resolve({ status: incoming.statusCode ?? 0, text }), reject),
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }
}

interface Answer {
  status: number;
  text: string;
}

async function readAll(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw new AgentError('BadAnswer', `answer of more than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Tells an answer from a refusal; exported for the tests of answers of other releases. */
export function readAnswer<S extends z.ZodType>(answer: Answer, schema: S): z.output<S> {
  const json = parseJson(answer);
  if (answer.status >= 200 && answer.status < 300) {
    const parsed = schema.safeParse(json);
    if (parsed.success) return parsed.data;
    throw new AgentError('BadAnswer', `not an answer of this API: ${z.prettifyError(parsed.error)}`);
  }
  const refusal = answers.errorBody.safeParse(json);
  if (!refusal.success) throw new AgentError('BadAnswer', `HTTP ${answer.status}`, { status: answer.status });
  const { code, message, field, highest } = refusal.data.error;
  const detail = { status: answer.status, ...(field === undefined ? {} : { field }), ...(highest ? { highest } : {}) };
  throw new AgentError(code, message, detail);
}

function parseJson(answer: Answer): unknown {
  try {
    return JSON.parse(answer.text);
  } catch (error) {
    throw new AgentError('BadAnswer', `HTTP ${answer.status} without JSON`, { status: answer.status, cause: error });
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
