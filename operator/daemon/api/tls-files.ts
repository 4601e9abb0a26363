import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { ServerTls } from '../../http-api/server.ts';
import type { Clock } from '../../kube/clock.ts';
import type { Logger } from '../../kube/types.ts';

export interface TlsFilesOptions {
  /** Where the Secret is mounted; empty until the operator has issued the certificate. */
  directory: string;
  clock: Clock;
  log: Logger;
  /** Called with the first certificate and with each renewed one. */
  onChange: (tls: Required<ServerTls>) => void;
}

/** The kubelet needs up to a minute or two to bring a changed Secret; looking oftener gains nothing. */
const LOOK_MS = 10_000;

/** Follows the files of a mounted TLS Secret, by content: the kubelet swaps symbolic links, which watches miss. */
export class TlsFiles {
  readonly #options: TlsFilesOptions;
  #known: Required<ServerTls> | undefined;
  #problem: string | undefined;
  #isOpen = false;
  #cancel = (): void => undefined;

  constructor(options: TlsFilesOptions) {
    this.#options = options;
  }

  get current(): Required<ServerTls> | undefined {
    return this.#known;
  }

  start(): void {
    this.#isOpen = true;
    void this.#look();
  }

  stop(): void {
    this.#isOpen = false;
    this.#cancel();
  }

  async #look(): Promise<void> {
    const { directory, clock, log, onChange } = this.#options;
    try {
      const found = await readTls(directory);
      if (this.#isOpen && !isSame(found, this.#known)) {
        this.#known = found;
        onChange(found);
      }
      this.#problem = undefined;
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#problem) log.warn('there is no certificate that could be used', { error });
      this.#problem = message;
    }
    if (this.#isOpen) this.#cancel = clock.after(LOOK_MS, () => void this.#look());
  }
}

/** @throws Error when a file is missing, or certificate and key do not fit each other */
async function readTls(directory: string): Promise<Required<ServerTls>> {
  const read = (name: string): Promise<string> => readFile(join(directory, name), 'utf8');
  const [cert, key, ca] = await Promise.all([read('tls.crt'), read('tls.key'), read('ca.crt')]);
  // The kubelet swaps the three at once, but our three reads may fall on both sides of it.
  createSecureContext({ cert, key, ca });
  return { cert, key, ca };
}

const isSame = (one: Required<ServerTls>, other: Required<ServerTls> | undefined): boolean =>
  one.cert === other?.cert && one.key === other.key && one.ca === other.ca;
