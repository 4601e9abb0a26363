import type { NodeSSH } from 'node-ssh';
import { backoffMs } from '../../kube/backoff.ts';
import type { Clock } from '../../kube/clock.ts';
import type { Logger } from '../../kube/types.ts';
import { digestOf, type Account } from './account.ts';
import { LoginRefused, openConnection } from './open-connection.ts';

export interface ConnectionOptions {
  /** Name of the own node. */
  host: string;
  clock: Clock;
  random: () => number;
  log: Logger;
}

/** Where it does not come to a login, it is tried again soon: the loops are to go on within their period. */
const UNREACHABLE = { baseMs: 250, maxMs: 2_000 };
/**
 * A failed login costs the address it comes from 5 s in OpenSSH 9.8 and later (`PerSourcePenalties`), and from 15 s on
 * nobody from there is let in. Oftener, and we would shut ourselves out, and every other who uses the loopback.
 */
const REFUSED = { baseMs: 2_000, maxMs: 6_000 };

/** The connection to the own host: opened when it is needed, shared, and opened anew after a loss, with a pause. */
export class HostConnection {
  readonly #options: ConnectionOptions;
  #open: Opened | undefined;
  #failure: { digest: string; cause: Error; count: number; until: number } | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** @throws Error, of this try or, until its pause is over, of the last one with this account */
  get(account: Account): Promise<NodeSSH> {
    const digest = digestOf(account);
    if (this.#open?.digest === digest && isUsable(this.#open)) return this.#open.ssh;
    const failure = this.#failure;
    if (failure?.digest === digest && this.#options.clock.now() < failure.until) return Promise.reject(failure.cause);
    this.close();
    const opened: Opened = { digest, ssh: this.#connect(account, digest) };
    opened.ssh.then(
      ssh => (opened.ready = ssh),
      () => (this.#open = this.#open === opened ? undefined : this.#open),
    );
    this.#open = opened;
    return opened.ssh;
  }

  /** Ends it at once, commands under way too. */
  close(): void {
    const open = this.#open;
    this.#open = undefined;
    open?.ssh.then(
      ssh => ssh.connection?.destroy(),
      () => undefined,
    );
  }

  async #connect(account: Account, digest: string): Promise<NodeSSH> {
    const { host, clock, random, log } = this.#options;
    try {
      const ssh = await openConnection(host, account);
      if (this.#failure) log.info('host commands work again', { user: account.user });
      this.#failure = undefined;
      return ssh;
    } catch (error) {
      const cause = error as Error;
      const last = this.#failure?.digest === digest ? this.#failure : undefined;
      const count = (last?.count ?? 0) + 1;
      const pause = backoffMs(cause instanceof LoginRefused ? REFUSED : UNREACHABLE, count, random);
      this.#failure = { digest, cause, count, until: clock.now() + pause };
      if (last?.cause.message !== cause.message) log.warn('host commands do not work', { error: cause });
      throw cause;
    }
  }
}

interface Opened {
  digest: string;
  ssh: Promise<NodeSSH>;
  /** Set when it stands. */
  ready?: NodeSSH;
}

/** It stands, or is being opened. */
const isUsable = ({ ready }: Opened): boolean => ready === undefined || ready.isConnected();
