/** How a card is, as far as its traffic is concerned. `lowerLayerDown`: what it stands on is down. */
export type LinkState = 'up' | 'down' | 'lowerLayerDown' | 'absent' | 'unknown';
export type CardKind = 'ethernet' | 'bond' | 'vlan' | 'bridge' | 'other';

/** The management controller of the host: its address, or why there is none. */
export type OobFact = { ip: string } | { error: string };

/** The network card that clients reach this host by. */
export interface NetworkFact {
  card: string;
  state: LinkState;
  kind: CardKind;
  /** The address that is published; absent: the card has none. */
  clientIp?: string;
  /** All addresses of the card that clients could use, the best first. */
  addresses: readonly string[];
  /** Cards that it stands on (below a bond, VLAN or bridge), and their states. */
  lower: Readonly<Record<string, LinkState>>;
  /** Absent: it is not asked for. */
  oob?: OobFact;
  /** What could not be found out, and why. */
  gaps: readonly string[];
}
