import { HOST_CONDITION, silentSince } from '../model/host.ts';
import type { InstancePorts } from '../model/ports.ts';
import { hostCondition, type HostView } from './gather/hosts.ts';
import { identity } from './gather/shared-device.ts';

/** What an instance asks of the host that it comes to. */
export interface PlacementNeeds {
  /** Ports that must be free there; absent on the pod network. */
  ports?: InstancePorts;
  /** Version whose images must be there already; absent: they can be pulled. */
  version?: string;
  /** Shared volume that must be seen there, and what its device says of itself, where that is known. */
  volume?: { name: string; wwid?: string };
  now: Date;
}

/** A host that is not to take the instance, and why, in words for a condition. */
export interface AvoidedHost {
  host: string;
  why: string;
}

export interface Placement {
  avoided: readonly AvoidedHost[];
  /** Every host that takes pods at all is avoided. */
  isHopeless: boolean;
}

type Objection = (host: HostView, needs: PlacementNeeds) => string | undefined;

/** The first that objects gives the reason. A host of which no daemon ever spoke passes them all. */
const objections: readonly Objection[] = [silent, cutOffFromClients, portTaken, imageMissing, volumeBad];

/** What facts say of every host for an instance that is to be placed. */
export function judgeHosts(hosts: readonly HostView[], needs: PlacementNeeds): Placement {
  const avoided = hosts.flatMap(host => {
    const why = objectionTo(host, needs);
    return why === undefined ? [] : [{ host: host.name, why }];
  });
  const names = new Set(avoided.map(({ host }) => host));
  const open = hosts.filter(({ isOpen }) => isOpen);
  return { avoided, isHopeless: open.length > 0 && open.every(({ name }) => names.has(name)) };
}

function objectionTo(host: HostView, needs: PlacementNeeds): string | undefined {
  for (const object of objections) {
    const why = object(host, needs);
    if (why !== undefined) return why;
  }
  return undefined;
}

/** The message carries a time and no age: it is written once, not with every look. */
function silent(host: HostView, { now }: PlacementNeeds): string | undefined {
  const since = silentSince(host.conditions, now);
  return since === undefined ? undefined : `its daemon has said nothing since ${since}`;
}

/** The original's word for a card whose driver tells no state: virtual ones do so for ever, and serve all the same. */
const NOT_TOLD = 'StateUnKnown';

function cutOffFromClients(host: HostView): string | undefined {
  const told = hostCondition(host, HOST_CONDITION.clientNetworkUnavailable);
  return told?.status === 'True' && told.reason !== NOT_TOLD
    ? `clients cannot reach it (${told.message ?? told.reason ?? ''})`
    : undefined;
}

function portTaken(host: HostView, { ports }: PlacementNeeds): string | undefined {
  const needed: number[] = ports ? [ports.engine, ports.agent, ports.health] : [];
  const taken = needed.find(port => host.isPortUsed(port));
  return taken === undefined ? undefined : `port ${taken} is in use there`;
}

function imageMissing({ versions }: HostView, { version }: PlacementNeeds): string | undefined {
  const isMissing = version !== undefined && versions !== undefined && !versions.includes(version);
  return isMissing ? `it has not all images of version ${version}, and none is pulled` : undefined;
}

/** Where nobody knows the device of a volume, no host can be said to lack it. */
function volumeBad({ volumes }: HostView, { volume }: PlacementNeeds): string | undefined {
  if (!volumes || !volume) return undefined;
  const { name, wwid } = volume;
  if (volumes.volume(name)?.health === 'failed') return `volume ${name} has failed there`;
  if (wwid === undefined) return undefined;
  const device = volumes.devices().find(it => it.wwid !== undefined && identity(it.wwid) === identity(wwid));
  if (!device) return `it does not see the device of volume ${name} (${wwid})`;
  return device.health === 'failed' ? `device ${device.name} of volume ${name} has failed there` : undefined;
}

/** As many hosts are named in a message; the rest are counted. */
const NAMED = 5;

/** Hosts and reasons in words, `node-1: why; node-2: why`. */
export function describeAvoided(avoided: readonly AvoidedHost[]): string {
  const named = avoided.slice(0, NAMED).map(({ host, why }) => `${host}: ${why}`);
  const more = avoided.length - named.length;
  return [...named, ...(more > 0 ? [`${more} more`] : [])].join('; ');
}
