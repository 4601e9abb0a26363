import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Plain HTTP for the kubelet and Prometheus: /healthz, /readyz, /metrics. No secrets, no commands. */

/** Returns why it is not well, in a sentence for people, or nothing when it is. */
export type Check = () => string | undefined | Promise<string | undefined>;

export interface HealthOptions {
  /** 0: any free one. */
  port: number;
  /** Default: all addresses. */
  host?: string;
  /** Is the process beyond help, so that only a restart mends it? Must not depend on anything outside. */
  live?: Readonly<Record<string, Check>>;
  /** Lines that /healthz shows besides, for people: they judge nothing. */
  notes?: () => readonly string[];
  /** Can it do its work now? */
  ready?: Readonly<Record<string, Check>>;
  metrics?: { readonly contentType: string; text(): Promise<string> };
  /** A check that takes longer has failed, ms (default 1 s, what a kubelet waits by default). */
  checkLimitMs?: number;
  /** How long `close` waits for running answers, ms (default 2 s). */
  drainMs?: number;
}

export interface HealthServer {
  readonly port: number;
  /** From now on /readyz says "shutting down"; answers that run are finished, then all connections are closed. */
  readonly close: () => Promise<void>;
}

interface Answer {
  status: number;
  text: string;
  type?: string;
}

/** Small limits: the callers are few and known, and anybody in the cluster may connect. */
const LIMITS = { maxHeaderSize: 8_192, headersTimeout: 5_000, requestTimeout: 5_000, keepAliveTimeout: 5_000 };
const MOST_CONNECTIONS = 64;

/** Starts to listen. @throws Error when the port is taken */
export async function startHealthServer(options: HealthOptions): Promise<HealthServer> {
  const health = new Health(options);
  // The search for expired connections runs rarely by default; the limits above would be 30 s late.
  const server = createServer({ ...LIMITS, connectionsCheckingInterval: 1_000 }, (request, response) => {
    void health.serve(request, response);
  });
  server.maxConnections = MOST_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  // A failing accept (too many open files) must not end the process.
  server.on('error', () => undefined);
  let closing: Promise<void> | undefined;
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      health.isClosing = true;
      return (closing ??= drain(server, options.drainMs ?? 2_000));
    },
  };
}

class Health {
  isClosing = false;
  private readonly options: HealthOptions;
  private scrape: Promise<Answer> | undefined;

  constructor(options: HealthOptions) {
    this.options = options;
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, text, type = 'text/plain; charset=utf-8' } = await this.answer(request);
    // A body was not asked for and is not read: its connection cannot be used again.
    const hasBody =
      request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
    if (hasBody || this.isClosing) response.setHeader('Connection', 'close');
    response.writeHead(status, {
      'Content-Type': type,
      'Content-Length': Buffer.byteLength(text),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    });
    response.end(request.method === 'HEAD' ? undefined : text);
  }

  private async answer({ method, url = '' }: IncomingMessage): Promise<Answer> {
    if (method !== 'GET' && method !== 'HEAD') return { status: 405, text: 'only GET and HEAD\n' };
    const [path] = url.split('?', 1);
    if (path === '/healthz') return this.judge(this.options.live ?? {}, this.options.notes?.());
    if (path === '/readyz') return this.judge({ running: () => this.running(), ...this.options.ready });
    if (path === '/metrics' && this.options.metrics) return this.metrics(this.options.metrics);
    return { status: 404, text: 'known: /healthz, /readyz, /metrics\n' };
  }

  private running(): string | undefined {
    return this.isClosing ? 'shutting down' : undefined;
  }

  /** One line per check, in the way of the API server's ?verbose. */
  private async judge(checks: Readonly<Record<string, Check>>, notes: readonly string[] = []): Promise<Answer> {
    const limitMs = this.options.checkLimitMs ?? 1_000;
    const verdicts = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => ({ name, reason: await reasonOf(check, limitMs) })),
    );
    const failed = verdicts.filter(({ reason }) => reason !== undefined);
    const lines = verdicts.map(({ name, reason }) => (reason === undefined ? `[+] ${name}` : `[-] ${name}: ${reason}`));
    const verdict = failed.length === 0 ? 'ok' : 'failed';
    return { status: failed.length === 0 ? 200 : 503, text: [...lines, ...notes, verdict, ''].join('\n') };
  }

  /** Scrapes that come at the same time share one collection. */
  private metrics(source: NonNullable<HealthOptions['metrics']>): Promise<Answer> {
    this.scrape ??= Promise.resolve()
      .then(() => source.text())
      .then(text => ({ status: 200, text, type: source.contentType }))
      .catch(() => ({ status: 500, text: 'metrics cannot be collected\n' }))
      .finally(() => (this.scrape = undefined));
    return this.scrape;
  }
}

async function reasonOf(check: Check, limitMs: number): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>(resolve => {
    timer = setTimeout(() => resolve(`no answer within ${limitMs} ms`), limitMs);
  });
  try {
    return await Promise.race([Promise.resolve().then(check), late]);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
}

async function drain(server: Server, limitMs: number): Promise<void> {
  const timer = setTimeout(() => server.closeAllConnections(), limitMs);
  await new Promise<void>(resolve => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  clearTimeout(timer);
}
