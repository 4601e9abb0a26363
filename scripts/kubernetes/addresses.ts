/**
 * Each cluster of a machine owns one /16 and one link name, chosen by its index, so that any number
 * of them run side by side. Inside the /16: Services in .0-.63, the network of the nodes in .64,
 * pods of node n in .(128 + n).
 */
export interface Addresses {
  index: number;
  /** The whole /16. */
  network: string;
  services: string;
  kubernetesService: string;
  dns: string;
  /** All pods of the cluster. */
  pods: string;
  controlPlane: string;
  /** The machine itself, as seen from the cluster. */
  host: string;
  /** Network link of the machine into the cluster. */
  hostLink: string;
}

const firstBlock = 160;
const clusters = 64;

export const prefixLength = 24;
export const maxNodes = 99;

/** Addresses of the cluster with this index, 0 to 63. */
export function addressesOf(index: number): Addresses {
  const block = `10.${firstBlock + index}`;
  return {
    index,
    network: `${block}.0.0/16`,
    services: `${block}.0.0/18`,
    kubernetesService: `${block}.0.1`,
    dns: `${block}.0.10`,
    pods: `${block}.128.0/17`,
    controlPlane: `${block}.64.1`,
    host: `${block}.64.254`,
    hostLink: `polardb-k8s-${index}`,
  };
}

/** Address of node `n`, counted from 1. */
export const nodeAddress = (index: number, n: number): string => `10.${firstBlock + index}.64.${10 + n}`;

/** Pod network of node `n`, counted from 1. */
export const podSubnet = (index: number, n: number): string => `10.${firstBlock + index}.${128 + n}.0/24`;

/** The first index that no other cluster holds and whose network the machine does not use for something else. */
export function freeIndex(taken: readonly number[], routes: readonly string[]): number {
  for (let index = 0; index < clusters; index++) {
    const { network } = addressesOf(index);
    if (!taken.includes(index) && !routes.some(route => overlaps(route, network))) return index;
  }
  throw new Error(`no free network for a cluster: ${clusters} of them in 10.${firstBlock}.0.0 and up are all in use`);
}

/** Whether two IPv4 networks share an address. `default` (a route of `ip`) counts as none. */
export function overlaps(a: string, b: string): boolean {
  const [one, other] = [parse(a), parse(b)];
  if (!one || !other) return false;
  const bits = 32 - Math.min(one.length, other.length);
  return Math.floor(one.address / 2 ** bits) === Math.floor(other.address / 2 ** bits);
}

function parse(network: string): { address: number; length: number } | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\/(\d+))?$/.exec(network);
  if (!match) return undefined;
  const [, a, b, c, d, length] = match;
  const address = [a, b, c, d].reduce((sum, part) => sum * 256 + Number(part), 0);
  return { address, length: Number(length ?? 32) };
}
