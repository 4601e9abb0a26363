import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { messageOf, type Log } from './log.ts';
import type { RotatingFile } from './rotate.ts';

/** Longer lines are logged in pieces, so that one statement of many megabytes does not take the agent's heap. */
export const MAX_LINE_BYTES = 64 * 1024;
const NEWLINE = 10;

/**
 * Cuts a stream of bytes into lines. A piece is a whole line with its line break, or at most {@link MAX_LINE_BYTES} of
 * a longer one; the pieces together are exactly the input.
 */
export class LineCutter {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): Buffer[] {
    const pieces: Buffer[] = [];
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const end = data.subarray(0, MAX_LINE_BYTES).indexOf(NEWLINE);
      const length = end >= 0 ? end + 1 : MAX_LINE_BYTES;
      if (end < 0 && data.length < MAX_LINE_BYTES) break;
      pieces.push(data.subarray(0, length));
      data = data.subarray(length);
    }
    this.#rest = Buffer.from(data);
    return pieces;
  }

  /** What came after the last line break. */
  end(): Buffer[] {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    return rest.length === 0 ? [] : [rest];
  }
}

export interface CaptureOptions {
  stream: 'stdout' | 'stderr';
  /** The container's standard output, one JSON object per line. */
  out: Writable;
  file: RotatingFile;
  /** Hears each line. */
  onLine: (line: string) => void;
  log: Log;
}

/**
 * Carries the engine's output, line by line, to the container's log and to the rotated file, until it ends. Slow
 * readers slow the engine down instead of filling memory. A full disk costs the file its lines, not the container's log.
 */
export async function captureOutput(source: Readable, options: CaptureOptions): Promise<void> {
  const cutter = new LineCutter();
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) await deliver(cutter.push(chunk), options);
  } catch (error) {
    options.log.warn('output of the engine broke off', { reason: messageOf(error) });
  }
  await deliver(cutter.end(), options);
}

async function deliver(pieces: readonly Buffer[], { stream, out, file, onLine, log }: CaptureOptions): Promise<void> {
  if (pieces.length === 0) return;
  const lines = pieces.map(piece => piece.toString('utf8').replace(/\r?\n$/, ''));
  lines.forEach(onLine);
  const text = lines.map(line => format(line, stream)).join('');
  if (!out.write(text)) await once(out, 'drain');
  for (const batch of batches(pieces)) {
    await file.write(batch).catch((error: unknown) => {
      log.warn('the log file takes no lines', { reason: messageOf(error) });
    });
  }
}

function format(line: string, stream: string): string {
  return `${JSON.stringify({ timestamp: new Date().toISOString(), source: 'engine', stream, message: line })}\n`;
}

/** Lines that come together are written together, but never more than one piece's size at once. */
function* batches(pieces: readonly Buffer[]): Generator<Buffer> {
  let batch: Buffer[] = [];
  let size = 0;
  for (const piece of pieces) {
    if (size > 0 && size + piece.length > MAX_LINE_BYTES) {
      yield Buffer.concat(batch);
      batch = [];
      size = 0;
    }
    batch.push(piece);
    size += piece.length;
  }
  if (size > 0) yield Buffer.concat(batch);
}
