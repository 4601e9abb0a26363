import type { CardView, SeenAddress } from './card.ts';
import type { NetworkFact, OobFact } from './fact.ts';

export interface NetworkView {
  seen: CardView;
  /** Addresses as the host's `ip` tells them; undefined: it was not asked, or did not answer. */
  told: readonly SeenAddress[] | undefined;
  /** The address of this card that is published now. */
  published: string | undefined;
  oob: OobFact | undefined;
  gaps: readonly string[];
}

/** What the card is to clients. */
export function judgeNetwork({ seen, told, published, oob, gaps }: NetworkView): NetworkFact {
  const { card, state, kind, lower } = seen;
  const addresses = inOrder(told ?? seen.addresses).map(({ address }) => address);
  // Of a card that is down the kernel shows no addresses: that it lost them is known only when `ip` says so.
  const isHidden = told === undefined && state !== 'up' && state !== 'absent';
  const clientIp = isHidden ? published : chosen(addresses, published);
  return { card, state, kind, lower, addresses, gaps, ...(clientIp && { clientIp }), ...(oob && { oob }) };
}

/** Is what the kernel shows not enough to choose? */
export const needsTelling = ({ state, addresses }: CardView): boolean =>
  state !== 'absent' && (state !== 'up' || addresses.length > 1);

/** The published address stays while the card has it: a second one that comes and goes moves no clients. */
function chosen(addresses: readonly string[], published: string | undefined): string | undefined {
  return published !== undefined && addresses.includes(published) ? published : addresses[0];
}

/** IPv4 first as in the original, then the addresses of networks before single ones, which float from host to host. */
function inOrder(addresses: readonly SeenAddress[]): SeenAddress[] {
  const rank = ({ family, prefix, isSecondary }: SeenAddress): number =>
    (family === 4 ? 0 : 4) + (prefix === (family === 4 ? 32 : 128) ? 2 : 0) + (isSecondary ? 1 : 0);
  return addresses.toSorted((a, b) => rank(a) - rank(b));
}
