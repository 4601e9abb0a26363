import { EventEmitter } from 'node:events';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { BEAT_PATH, BEAT_PROTOCOL, reportSchema, type Beat, type Report } from './beat.ts';
import type { AgentEndpoint } from './endpoint.ts';
import { AgentError } from './errors.ts';
import { JsonLines } from './lines.ts';

interface BeatStreamEvents {
  /** Beats can be sent from now on. */
  open: [];
  report: [Report];
  /** Comes once, last, whoever ended it. Reconnecting, with a back-off, is the user's business. */
  end: [AgentError];
}

/**
 * One stream to one agent: see beat.ts. A stream that has gone silent looks alive for long (TCP), so its user judges
 * silence by the reports and closes it.
 */
export class BeatStream extends EventEmitter<BeatStreamEvents> {
  readonly #where: string;
  #lines: JsonLines | undefined;
  #destroy: (reason?: Error) => void;
  #ended = false;

  /** Begins to connect at once. @param limitMs for connection and handshake together */
  constructor(endpoint: AgentEndpoint, secureContext: SecureContext, limitMs: number) {
    super();
    const { address: host, port, serverName: servername } = endpoint;
    this.#where = `beats of agent ${host}:${port}`;
    const headers = { connection: 'Upgrade', upgrade: BEAT_PROTOCOL };
    const options = { secureContext, host, port, servername, headers, path: BEAT_PATH };
    const outgoing = httpsRequest({ ...options, agent: false });
    const limit = setTimeout(() => outgoing.destroy(new Error(`no answer in ${limitMs} ms`)), limitMs);
    this.#destroy = reason => outgoing.destroy(reason);
    outgoing.once('upgrade', (_answer, socket, head) => this.#open(socket, head));
    outgoing.once('response', answer => {
      outgoing.destroy(new AgentError('BadAnswer', `${this.#where}: HTTP ${answer.statusCode ?? 0} and no stream`));
    });
    outgoing.once('error', error => this.#end(error));
    outgoing.once('close', () => clearTimeout(limit));
    outgoing.end();
  }

  /** Does nothing before `open` and after `end`. */
  send(beat: Beat): void {
    this.#lines?.send(beat);
  }

  close(): void {
    this.#destroy(new Error('closed by us'));
  }

  #open(socket: Socket, head: Buffer): void {
    socket.setNoDelay(true);
    this.#destroy = () => socket.destroy();
    const lines = new JsonLines(
      socket,
      value => this.emit('report', reportSchema.parse(value)),
      reason => this.#end(new Error(reason)),
    );
    this.#lines = lines;
    this.emit('open');
    lines.unshift(head);
  }

  #end(cause: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#lines = undefined;
    const error =
      cause instanceof AgentError
        ? cause
        : new AgentError('Unreachable', `${this.#where}: ${cause.message}`, { cause });
    this.emit('end', error);
  }
}
