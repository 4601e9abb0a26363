import type { Duplex } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/** A beat or report of hundreds of members is a tenth of this. */
const MAX_LINE_CHARACTERS = 256 * 1024;
/** What a peer that reads nothing may leave unread with us before its stream is given up. */
const MAX_UNSENT_BYTES = 256 * 1024;

/**
 * One JSON object a line over a connection that is open already.
 * @param onObject gets each object, not yet validated
 * @param onBroken called once, with the reason; the connection is destroyed by then
 */
export class JsonLines {
  readonly #connection: Duplex;
  readonly #onObject: (value: unknown) => void;
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  constructor(connection: Duplex, onObject: (value: unknown) => void, onBroken: (reason: string) => void) {
    this.#connection = connection;
    this.#onObject = onObject;
    let reason = 'closed by the other side';
    connection.on('data', (chunk: Buffer) => this.#take(chunk));
    connection.on('error', error => (reason = error.message));
    // Half-open streams are of no use: whoever ends its side is gone.
    connection.on('end', () => connection.destroy());
    connection.once('close', () => onBroken(reason));
  }

  /** Sends one object, or gives the stream up when the other side does not read. */
  send(value: object): void {
    if (this.#connection.destroyed) return;
    if (this.#connection.writableLength > MAX_UNSENT_BYTES) {
      this.#connection.destroy(new Error('the other side does not read'));
    } else this.#connection.write(`${JSON.stringify(value)}\n`);
  }

  /** Ends the stream after what was sent. */
  end(): void {
    this.#connection.end();
  }

  /** Bytes that came with the handshake. */
  unshift(head: Buffer): void {
    if (head.length > 0) this.#take(head);
  }

  #take(chunk: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(chunk)).split('\n');
    this.#rest = lines.pop() ?? '';
    try {
      if (this.#rest.length > MAX_LINE_CHARACTERS) throw new Error('a line is too long');
      for (const line of lines) this.#onObject(JSON.parse(line));
    } catch (error) {
      this.#connection.destroy(error as Error);
    }
  }
}
