import { readdir, readFile } from 'node:fs/promises';
import type { NetworkInterfaceInfo } from 'node:os';
import { join } from 'node:path';
import type { CardKind, LinkState } from './fact.ts';

/** An address as it is seen on a card. */
export interface SeenAddress {
  address: string;
  family: 4 | 6;
  /** Bits of its network. */
  prefix: number;
  /** Another address of the same network came first. Known from the host's `ip` alone. */
  isSecondary: boolean;
}

/** What the kernel shows of a card. */
export interface CardView {
  card: string;
  state: LinkState;
  kind: CardKind;
  lower: Readonly<Record<string, LinkState>>;
  /** In the kernel's order. Of a card that is not up none are shown, also where it has some. */
  addresses: readonly SeenAddress[];
}

export interface CardSource {
  /** The host's `/sys`. */
  sys: string;
  /** `os.networkInterfaces`, of a process in the host's network. */
  interfaces: () => NodeJS.Dict<NetworkInterfaceInfo[]>;
}

/** Looks at a card. @throws Error when the host's cards cannot be seen at all: that says nothing of this one */
export async function readCard(card: string, { sys, interfaces }: CardSource): Promise<CardView> {
  const root = join(sys, 'class', 'net');
  if (!(await readdir(root)).includes(card)) return { card, state: 'absent', kind: 'other', lower: {}, addresses: [] };
  const folder = join(root, card);
  const below = (await readdir(folder)).flatMap(name => /^lower_(.+)$/.exec(name)?.[1] ?? []).sort();
  const lower = await Promise.all(below.map(async name => [name, await stateOf(join(root, name))] as const));
  return {
    card,
    state: await stateOf(folder),
    kind: kindOf(await fileOf(folder, 'uevent'), await fileOf(folder, 'type')),
    lower: Object.fromEntries(lower),
    addresses: (interfaces()[card] ?? []).flatMap(seen),
  };
}

async function stateOf(folder: string): Promise<LinkState> {
  const [operstate, carrier, flags] = await Promise.all(['operstate', 'carrier', 'flags'].map(f => fileOf(folder, f)));
  return linkState({ operstate, hasCarrier: carrier === '1', isSwitchedOn: (Number(flags) & IFF_UP) !== 0 });
}

const IFF_UP = 1;

/** @param of `operstate` undefined: the card went away while it was looked at */
export function linkState(of: {
  operstate: string | undefined;
  hasCarrier: boolean;
  isSwitchedOn: boolean;
}): LinkState {
  const { operstate, hasCarrier, isSwitchedOn } = of;
  if (operstate === undefined) return 'absent';
  if (operstate === 'up') return 'up';
  if (operstate === 'lowerlayerdown') return 'lowerLayerDown';
  if (operstate !== 'unknown' || !isSwitchedOn) return 'down';
  // Drivers that never say (tun, some virtual cards) are for ever "unknown": their carrier tells.
  return hasCarrier ? 'up' : 'unknown';
}

const KINDS: Readonly<Record<string, CardKind>> = { bond: 'bond', vlan: 'vlan', bridge: 'bridge' };
const ARPHRD_ETHER = '1';

function kindOf(uevent: string | undefined, type: string | undefined): CardKind {
  const named = /^DEVTYPE=(.*)$/m.exec(uevent ?? '')?.[1];
  if (named !== undefined) return KINDS[named] ?? 'other';
  return type === ARPHRD_ETHER ? 'ethernet' : 'other';
}

/** Undefined when there is no such file, or the kernel has nothing to say in it (`carrier` of a card that is off). */
async function fileOf(folder: string, name: string): Promise<string | undefined> {
  try {
    return (await readFile(join(folder, name), 'utf8')).trim();
  } catch {
    return undefined;
  }
}

function seen({ address, family, cidr, internal }: NetworkInterfaceInfo): SeenAddress[] {
  if (internal || isLinkLocal(address)) return [];
  const isV4 = family === 'IPv4';
  const prefix = Number(cidr?.split('/')[1] ?? (isV4 ? 32 : 128));
  return [{ address, family: isV4 ? 4 : 6, prefix, isSecondary: false }];
}

/** fe80::/10 and 169.254.0.0/16: no client reaches these. */
export const isLinkLocal = (address: string): boolean => /^(fe[89ab][0-9a-f]:|169\.254\.)/i.test(address);
