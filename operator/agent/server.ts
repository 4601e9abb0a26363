import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { AgentError } from '../agent-api/errors.ts';
import type { TlsMaterial } from '../agent-api/client.ts';
import { BEAT_PATH, BEAT_PROTOCOL } from '../agent-api/beat.ts';
import type { Part } from '../model/parts.ts';
import { mayCall, partOf, type Subject } from './access.ts';
import { asAgentError } from './failures.ts';
import type { Log } from './log.ts';
import { findRoute, type Calls } from './routes.ts';

export interface ApiServerOptions {
  port: number;
  tls: TlsMaterial;
  calls: Calls;
  /** Takes over a stream of beats. */
  onBeats: (connection: Duplex, head: Buffer, caller: string) => void;
  log: Log;
}

/** Settings of a thousand parameters are a tenth of this. */
const MAX_BODY_BYTES = 1024 * 1024;
/** Longer than any `waitMs`, and than clients keep an idle connection. */
const KEEP_ALIVE_MS = 65_000;
const REQUEST_MS = 10_000;

/** The HTTPS API. A connection without a certificate of our CA is refused before the first byte of HTTP. */
export async function startApiServer({ port, tls, calls, onBeats, log }: ApiServerOptions): Promise<Server> {
  const server = createServer({ ...secure(tls), requestCert: true, rejectUnauthorized: true }, (incoming, outgoing) => {
    void answer(incoming, outgoing, calls).then(outcome => {
      if (outcome.status >= 500) log.error('call failed', { ...outcome });
      else if (outcome.code !== undefined) log.warn('call refused', { ...outcome });
    });
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.requestTimeout = REQUEST_MS;
  server.headersTimeout = REQUEST_MS;
  server.maxConnections = 256;
  server.on('upgrade', (incoming: IncomingMessage, connection: TLSSocket, head: Buffer) => {
    const { subject } = connection.getPeerCertificate();
    const caller = callerOf(subject);
    const refusal = objectionToUpgrade(incoming, partOf(subject));
    if (refusal !== undefined) {
      log.warn('stream refused', { caller, reason: refusal });
      connection.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    connection.setNoDelay(true);
    connection.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${BEAT_PROTOCOL}\r\n\r\n`);
    onBeats(connection, head, caller);
  });
  server.on('tlsClientError', error => log.warn('connection refused', { reason: error.message }));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, resolve);
  });
  return server;
}

/** Ends the API: what was asked is answered first, for `ms` at most. */
export async function endApiServer(server: Server, ms: number): Promise<void> {
  const closed = new Promise<void>(resolve => void server.close(() => resolve()));
  server.closeIdleConnections();
  await Promise.race([closed, sleep(ms, undefined, { ref: false })]);
}

/** Takes renewed certificates for later connections. */
export function renewTls(server: Server, tls: TlsMaterial): void {
  server.setSecureContext(secure(tls));
}

const secure = ({ ca, cert, key }: TlsMaterial) => ({ ca, cert, key, minVersion: 'TLSv1.3' as const });

interface Outcome {
  call: string;
  caller: string;
  status: number;
  code?: string;
  reason?: string;
}

async function answer(incoming: IncomingMessage, outgoing: ServerResponse, calls: Calls): Promise<Outcome> {
  const { subject } = (incoming.socket as unknown as Pick<TLSSocket, 'getPeerCertificate'>).getPeerCertificate();
  const method = incoming.method ?? '';
  const [path = ''] = (incoming.url ?? '').split('?', 1);
  const call = `${method} ${path}`;
  const caller = callerOf(subject);
  try {
    const part = partOf(subject);
    const route = findRoute(calls, method, path);
    if (!part || !mayCall(part, route.call)) throw new AgentError('Forbidden', `${caller} may not call ${call}`);
    const body = method === 'GET' ? undefined : await readJson(incoming);
    const result = await route.run(body, textOf(subject.CN));
    const status = isRunning(result) ? 202 : 200;
    send(outgoing, status, result);
    return { call, caller, status };
  } catch (error) {
    const { status, code, message, field, highest } = asAgentError(error);
    send(outgoing, status, { error: { code, message, field, highest } });
    return { call, caller, status, code, reason: message };
  }
}

/** @returns status line of the refusal */
function objectionToUpgrade(incoming: IncomingMessage, part: Part | undefined): string | undefined {
  if (incoming.url !== BEAT_PATH || incoming.headers.upgrade !== BEAT_PROTOCOL) return '404 Not Found';
  return part && mayCall(part, 'beats') ? undefined : '403 Forbidden';
}

const callerOf = ({ OU, CN }: Subject): string => `${textOf(OU)}/${textOf(CN)}`;

const textOf = (value: string | string[] | undefined): string =>
  Array.isArray(value) ? value.join('+') : (value ?? '');

const isRunning = (result: unknown): boolean => (result as { state?: unknown } | undefined)?.state === 'running';

function send(outgoing: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  outgoing.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  outgoing.end(text);
}

async function readJson(incoming: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new AgentError('TooLarge', `a body has at most ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new AgentError('InvalidRequest', 'the body is not JSON');
  }
}
