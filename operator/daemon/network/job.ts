import { networkInterfaces } from 'node:os';
import type { Clock } from '../../kube/clock.ts';
import { AUTO_CARD } from '../../settings/network.ts';
import type { HostFacts } from '../facts.ts';
import type { HostExec } from '../host/host-exec.ts';
import type { Job, JobResult } from '../loop.ts';
import type { DaemonSettings } from '../settings.ts';
import { readCard, type CardSource } from './card.ts';
import { defaultCard } from './default-card.ts';
import type { NetworkFact } from './fact.ts';
import { judgeNetwork, needsTelling } from './judge.ts';
import { OobWatch } from './oob.ts';
import { ToldAddresses } from './told.ts';

export interface NetworkJobOptions {
  settings: () => DaemonSettings;
  facts: HostFacts;
  host: HostExec;
  /** Is called when the site names another account for host commands, or none: what is open for the former one ends. */
  leave: () => void;
  /** The host's `/proc`. */
  proc: string;
  /** The host's `/sys`. */
  sys: string;
  /** The address that the node's condition names for this card, if any. */
  published: (card: string) => string | undefined;
  clock: Clock;
  random: () => number;
  interfaces?: CardSource['interfaces'];
}

/** Looks at the card that clients use, every few seconds: files and one system call, a host command only for doubts. */
export class NetworkJob implements Job {
  readonly name = 'network';
  readonly #options: NetworkJobOptions;
  readonly #oob: OobWatch;
  readonly #told: ToldAddresses;
  #account = '';

  constructor(options: NetworkJobOptions) {
    this.#options = options;
    this.#oob = new OobWatch(options);
    this.#told = new ToldAddresses(options);
  }

  async run(signal: AbortSignal): Promise<JobResult> {
    const { settings, facts, proc, sys, interfaces = networkInterfaces } = this.#options;
    const { card: named, isOobOn, isSshOn, sshUser, sshd } = settings();
    const card = named === AUTO_CARD ? ((await defaultCard(proc)) ?? named) : named;
    this.#useAccount(`${sshUser} ${isSshOn} ${sshd.address} ${sshd.port}`);
    const seen = await readCard(card, { sys, interfaces });
    const told = needsTelling(seen) ? await this.#told.of(seen, signal) : undefined;
    const fact = judgeNetwork({
      seen,
      told: told?.addresses,
      published: this.#published(card),
      oob: isOobOn ? this.#oob.look() : undefined,
      gaps: told?.gap === undefined ? [] : [told.gap],
    });
    facts.publish('network', fact);
    return { message: sentence(fact) };
  }

  /** A former process may have published one. */
  #published(card: string): string | undefined {
    const { facts, published } = this.#options;
    const known = facts.get('network')?.fact;
    return (known?.card === card ? known.clientIp : undefined) ?? published(card);
  }

  #useAccount(account: string): void {
    if (account === this.#account) return;
    if (this.#account !== '') this.#options.leave();
    this.#account = account;
    this.#told.forget();
    this.#oob.forget();
  }
}

const STATES: Readonly<Record<NetworkFact['state'], string>> = {
  up: 'is up',
  down: 'is down',
  lowerLayerDown: 'stands on a card that is down',
  absent: 'is not there',
  unknown: 'does not say whether it is up',
};

const sentence = ({ card, state, clientIp }: NetworkFact): string =>
  `${card} ${STATES[state]}, ${clientIp === undefined ? 'no address' : `clients use ${clientIp}`}`;
