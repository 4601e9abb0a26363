import { networkInterfaces } from 'node:os';
import type { Clock } from '../../kube/clock.ts';
import { AUTO_CARD } from '../../settings/network.ts';
import type { HostFacts } from '../facts.ts';
import type { HostExec } from '../host/host-exec.ts';
import type { Job, JobResult } from '../loop.ts';
import type { DaemonSettings } from '../settings.ts';
import { readCard, type CardSource, type CardView, type SeenAddress } from './card.ts';
import { defaultCard } from './default-card.ts';
import type { NetworkFact } from './fact.ts';
import { parseAddresses } from './ip-address.ts';
import { judgeNetwork, needsTelling } from './judge.ts';
import { OobWatch } from './oob.ts';

export interface NetworkJobOptions {
  settings: () => DaemonSettings;
  facts: HostFacts;
  host: HostExec;
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

/** A host that did not tell is asked again after this time, ms. */
const ASK_AGAIN_MS = 60_000;

interface Told {
  /** What was seen and asked when it was told. */
  sign: string;
  addresses: readonly SeenAddress[] | undefined;
  gap: string | undefined;
  at: number;
}

/** Looks at the card that clients use, every few seconds: files and one system call, a host command only for doubts. */
export class NetworkJob implements Job {
  readonly name = 'network';
  readonly #options: NetworkJobOptions;
  readonly #oob: OobWatch;
  #told: Told | undefined;
  #account = '';

  constructor(options: NetworkJobOptions) {
    this.#options = options;
    this.#oob = new OobWatch(options);
  }

  async run(signal: AbortSignal): Promise<JobResult> {
    const { settings, facts, proc, sys, interfaces = networkInterfaces } = this.#options;
    const { card: named, isOobOn, isSshOn, sshUser } = settings();
    const card = named === AUTO_CARD ? ((await defaultCard(proc)) ?? named) : named;
    this.#useAccount(`${sshUser} ${isSshOn}`);
    const seen = await readCard(card, { sys, interfaces });
    const told = needsTelling(seen) ? await this.#ask(seen, signal) : undefined;
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
    this.#account = account;
    this.#told = undefined;
    this.#oob.forget();
  }

  /** Asks the host's `ip` once for each thing that is seen. */
  async #ask(seen: CardView, signal: AbortSignal): Promise<Told> {
    const { clock, host } = this.#options;
    const sign = JSON.stringify(seen);
    const known = this.#told;
    const isAnswer = known?.sign === sign && (known.gap === undefined || clock.now() - known.at < ASK_AGAIN_MS);
    if (isAnswer) return known;
    const answer = await addressesOf(host, seen.card, signal);
    this.#told = { sign, at: clock.now(), addresses: undefined, gap: undefined, ...answer };
    return this.#told;
  }
}

async function addressesOf(
  host: HostExec,
  card: string,
  signal: AbortSignal,
): Promise<{ addresses: SeenAddress[] } | { gap: string }> {
  const result = await host.run({ name: 'addresses', card }, signal);
  const gap = (why: string): { gap: string } => ({ gap: `addresses of ${card}: ${why}` });
  if (result.kind === 'off') return gap(result.why);
  if (result.kind === 'lost') return gap(result.cause.message);
  if (result.kind === 'timeout') return gap(`no answer within ${result.afterMs} ms`);
  if (result.code !== 0) return gap(`ip ended with code ${result.code}`);
  try {
    return { addresses: parseAddresses(card, result.stdout) };
  } catch {
    return gap('ip printed something else');
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
