/** How the card is, as far as clients are concerned. */
export type LinkState = 'up' | 'down' | 'lowerLayerDown' | 'absent' | 'unknown';
export type CardKind = 'ethernet' | 'bond' | 'vlan' | 'bridge' | 'other';

/** The network card that clients reach this host by. */
export interface NetworkFact {
  card: string;
  state: LinkState;
  kind: CardKind;
  /** The address that is published; absent: the card has none. */
  clientIp?: string;
  /** All addresses of the card that clients could use. */
  addresses: readonly string[];
  /** Cards below a bond or VLAN, and their states. */
  lower: Readonly<Record<string, LinkState>>;
  /** Address of the host's management controller, where it is asked for. */
  oobIp?: string;
  /** What could not be found out, and why. */
  gaps: readonly string[];
}
