import { constants } from 'node:os';
import type { NodeSSH } from 'node-ssh';
import type { ClientChannel } from 'ssh2';
import type { HostResult } from './host-exec.ts';

export interface Execution {
  /** For the shell of the account. */
  line: string;
  /** Aborts when the result is not waited for any more. */
  signal: AbortSignal;
}

/** All multipath devices of a large host as JSON are a part of this. */
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;

/** Runs one line over a connection. Never rejects; what is not an exit of the command is `lost`. */
export async function execute(ssh: NodeSSH, { line, signal }: Execution): Promise<HostResult> {
  const output = new Output();
  let channel: ClientChannel | undefined;
  const ended = ssh
    .execCommand(line, {
      noTrim: true,
      // The library keeps its own copy as text; one byte is one character there, whatever the bytes are.
      encoding: 'latin1',
      onChannel: opened => {
        channel = opened;
        if (signal.aborted) opened.destroy();
      },
      onStdout: chunk => output.add('stdout', chunk, () => channel?.destroy()),
      onStderr: chunk => output.add('stderr', chunk, () => channel?.destroy()),
    })
    .then(
      ({ code, signal: name }) => resultOf(code, name, output),
      (error: unknown): HostResult => ({ kind: 'lost', cause: error as Error }),
    );
  const called = aborted(signal);
  const result = await Promise.race([ended, called.off]);
  called.forget();
  if (result.kind === 'lost') channel?.destroy();
  return result;
}

class Output {
  readonly #chunks: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  #bytes = 0;

  get isTooMuch(): boolean {
    return this.#bytes > MAX_OUTPUT_BYTES;
  }

  /** @param full called when there is more than anybody may send */
  add(stream: 'stdout' | 'stderr', chunk: Buffer, full: () => void): void {
    this.#bytes += chunk.length;
    if (this.isTooMuch) full();
    else this.#chunks[stream].push(chunk);
  }

  /** Decoded in one piece: a character may lie across two chunks. */
  text(stream: 'stdout' | 'stderr'): string {
    return Buffer.concat(this.#chunks[stream]).toString('utf8');
  }
}

function resultOf(code: number | null, signal: string | null, output: Output): HostResult {
  if (output.isTooMuch) {
    return { kind: 'lost', cause: new Error(`the command wrote more than ${MAX_OUTPUT_BYTES} bytes`) };
  }
  const status = code ?? (signal === null ? undefined : 128 + numberOf(signal));
  // Neither of both: the connection went before the command.
  if (status === undefined) return { kind: 'lost', cause: new Error('the connection broke before the command ended') };
  return { kind: 'exit', code: status, stdout: output.text('stdout'), stderr: output.text('stderr') };
}

/** The protocol names signals without SIG. */
const numberOf = (signal: string): number =>
  (constants.signals as Record<string, number | undefined>)[signal.startsWith('SIG') ? signal : `SIG${signal}`] ?? 0;

function aborted(signal: AbortSignal): { off: Promise<HostResult>; forget: () => void } {
  let listener = (): void => undefined;
  const off = new Promise<HostResult>(resolve => {
    listener = () => resolve({ kind: 'lost', cause: signal.reason as Error });
    if (signal.aborted) listener();
    else signal.addEventListener('abort', listener, { once: true });
  });
  return { off, forget: () => signal.removeEventListener('abort', listener) };
}
