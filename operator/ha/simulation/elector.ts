import { LEASE_TIMES, type Leadership } from '../leadership.ts';
import type { ApiServer } from './api-server.ts';
import type { Host } from './network.ts';
import type { Process } from './process.ts';

export interface ElectorParts {
  identity: string;
  process: Process;
  host: Host;
  api: ApiServer;
  onAcquired: () => void;
}

const { leaseMs, retryMs } = LEASE_TIMES;

/** Leader election by a Lease, as client-go does it: what others wrote is judged by when it was seen, by one's own clock. */
export class Elector {
  leadership?: Leadership;
  readonly #parts: ElectorParts;
  #seen = { version: 0, at: 0 };

  constructor(parts: ElectorParts, firstMs: number) {
    this.#parts = parts;
    parts.process.every(retryMs, firstMs, () => this.#look());
  }

  #look(): void {
    const { process, host, api } = this.#parts;
    api.call(
      { process, host },
      {
        writes: 'nothing',
        limitMs: retryMs,
        work: server => server.stored.leadership,
        done: answer => {
          if (answer !== 'none') this.#consider(answer.got.holder, answer.got.version);
        },
      },
    );
  }

  #consider(holder: string | undefined, version: number): void {
    const { identity, process } = this.#parts;
    const { now } = process.clock;
    if (version !== this.#seen.version) this.#seen = { version, at: now };
    if (holder !== identity) this.leadership = undefined;
    if (holder === identity || holder === undefined || now >= this.#seen.at + leaseMs) this.#write(version);
  }

  #write(expected: number): void {
    const { identity, process, host, api } = this.#parts;
    const sentAt = process.clock.now;
    api.call(
      { process, host },
      {
        writes: 'other',
        limitMs: leaseMs,
        work: server => {
          if (server.stored.leadership.version !== expected) return false;
          server.change((_, version) => ({ leadership: { holder: identity, version } }));
          return true;
        },
        done: answer => {
          if (answer !== 'none' && answer.got) this.#onWritten(sentAt);
        },
      },
    );
  }

  #onWritten(sentAt: number): void {
    const { process, onAcquired } = this.#parts;
    if (this.leadership) {
      const renewalSentAt = Math.max(this.leadership.renewalSentAt, sentAt);
      this.leadership = { ...this.leadership, renewalSentAt };
      return;
    }
    this.leadership = { acquiredAt: process.clock.now, renewalSentAt: sentAt };
    onAcquired();
  }
}
