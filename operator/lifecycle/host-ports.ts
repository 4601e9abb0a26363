import { createHash } from 'node:crypto';
import type { KubeClient } from '../kube/client.ts';
import { isReason } from '../kube/errors.ts';
import { RESOURCES, type ConfigMap } from '../kube/resources.ts';
import { MPD_CLUSTERS } from '../kinds/mpd.ts';
import { LABEL, MANAGED_BY } from '../model/labels.ts';
import { API_GROUP } from '../model/names.ts';
import { portInRange, type InstancePorts, type PortRange } from '../model/ports.ts';
import { UserError } from '../model/errors.ts';

const OWNER = `${API_GROUP}/owner-uid`;
const PURPOSE = `${API_GROUP}/purpose`;

export interface PortOwner {
  namespace: string;
  name: string;
  uid: string;
}

export interface PortSite {
  systemNamespace: string;
  /** Where agents' and health ports come from. */
  external: PortRange;
  reserved: readonly PortRange[];
  /** Does some host have a listener at this port? */
  isUsed: (port: number) => boolean;
}

/**
 * Ports of a cluster on the host network. A port is taken by creating the object of its name, so that two clusters can
 * never get one. What this owner took before is found again: a crash in between leaks nothing. Ports for agent and
 * health are free on every host, as the daemons tell; the engine's is the user's choice, and a host where it is in use
 * is avoided. What a cluster holds that went without us (its finalizer was taken off by hand) may be taken over.
 * @throws UserError when the engine port belongs to another cluster or no port is left
 */
export async function takeHostPorts(
  client: KubeClient,
  owner: PortOwner,
  enginePort: number,
  site: PortSite,
): Promise<InstancePorts> {
  const all = await reservations(client, site.systemNamespace);
  const mine = new Map(all.filter(isOf(owner)).map(found => [purposeOf(found), portOf(found)]));
  const taken = new Map<number, ConfigMap | undefined>(all.map(found => [portOf(found), found]));
  if (!mine.has('engine')) await takeEnginePort(client, owner, enginePort, { ...site, all });
  const take = async (purpose: 'agent' | 'health'): Promise<number> => {
    const port = mine.get(purpose) ?? (await takeFreePort(client, { owner, purpose, taken }, site));
    taken.set(port, undefined);
    return port;
  };
  return { engine: enginePort, agent: await take('agent'), health: await take('health') };
}

/** Gives the ports of a deleted cluster back. */
export async function releaseHostPorts(client: KubeClient, owner: PortOwner, systemNamespace: string): Promise<void> {
  for (const found of await reservations(client, systemNamespace, `,${OWNER}=${owner.uid}`)) {
    await client.delete(RESOURCES.configMaps, { namespace: systemNamespace, name: found.metadata.name });
  }
}

/** The user's own choice: nobody else's will do. A reservation whose cluster went without us is no obstacle. */
async function takeEnginePort(
  client: KubeClient,
  owner: PortOwner,
  port: number,
  { systemNamespace, all }: { systemNamespace: string; all: readonly ConfigMap[] },
): Promise<void> {
  const holder = all.find(found => portOf(found) === port);
  if (holder) await dropIfOrphaned(client, holder);
  if (await reserve(client, owner, { port, purpose: 'engine' }, systemNamespace)) return;
  const whose = holder?.data?.cluster ?? 'another cluster';
  throw new UserError('spec.netCfg.engineStartPort', `port ${port} belongs to ${whose}; choose another one`);
}

/** @returns false when the cluster that the reservation is for is there */
async function dropIfOrphaned(client: KubeClient, holder: ConfigMap): Promise<boolean> {
  if (await isClusterThere(client, holder)) return false;
  const { namespace, name, uid } = holder.metadata;
  await client.delete(RESOURCES.configMaps, { namespace, name }, { uid });
  return true;
}

async function isClusterThere(client: KubeClient, { metadata, data }: ConfigMap): Promise<boolean> {
  const [namespace = '', name = ''] = (data?.cluster ?? '').split('/');
  const found = await client.get(MPD_CLUSTERS, { namespace, name });
  return found !== undefined && found.metadata.uid === metadata.labels?.[OWNER];
}

interface PortRequest {
  owner: PortOwner;
  purpose: 'agent' | 'health';
  /** Somebody holds these already; with the reservation, except for those that this owner has just taken. */
  taken: ReadonlyMap<number, ConfigMap | undefined>;
}

async function takeFreePort(client: KubeClient, request: PortRequest, site: PortSite): Promise<number> {
  const { owner, purpose, taken } = request;
  const { external, systemNamespace } = site;
  for (const port of portsFrom(placeOf(owner, external), external)) {
    if (taken.has(port) || isBarred(port, site)) continue;
    if (await reserve(client, owner, { port, purpose }, systemNamespace)) return port;
  }
  const orphaned = await takeOrphanedPort(client, request, site);
  if (orphaned !== undefined) return orphaned;
  throw new UserError(
    'polardb4mpd-controller: polarbox.mpd.external.port.range',
    `no port of ${external.first}-${external.last} is free; widen the range`,
  );
}

/** Whose clusters are there is asked one by one: only when the range has nothing else. */
async function takeOrphanedPort(
  client: KubeClient,
  { owner, purpose, taken }: PortRequest,
  site: PortSite,
): Promise<number | undefined> {
  for (const [port, holder] of taken) {
    if (!holder || isOf(owner)(holder) || !portInRange(port, site.external) || isBarred(port, site)) continue;
    if (!(await dropIfOrphaned(client, holder))) continue;
    if (await reserve(client, owner, { port, purpose }, site.systemNamespace)) return port;
  }
  return undefined;
}

const isBarred = (port: number, { reserved, isUsed }: PortSite): boolean =>
  reserved.some(range => portInRange(port, range)) || isUsed(port);

/** Each owner begins at a place of its own: many that ask in one second would all run into each other at the first port. */
function placeOf({ uid }: PortOwner, { first, last }: PortRange): number {
  return first + (createHash('sha256').update(uid).digest().readUInt32BE() % (last - first + 1));
}

/** All ports of the range once, from `start` on and round. */
function* portsFrom(start: number, { first, last }: PortRange): Generator<number> {
  for (let port = start; port <= last; port++) yield port;
  for (let port = first; port < start; port++) yield port;
}

/** @returns false when somebody else holds the port */
async function reserve(
  client: KubeClient,
  owner: PortOwner,
  { port, purpose }: { port: number; purpose: string },
  namespace: string,
): Promise<boolean> {
  const labels = { [LABEL.managedBy]: MANAGED_BY, [LABEL.component]: 'port', [OWNER]: owner.uid, [PURPOSE]: purpose };
  const metadata = { namespace, name: `polardb-port-${port}`, labels };
  const data = { cluster: `${owner.namespace}/${owner.name}` };
  try {
    await client.create(RESOURCES.configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data });
    return true;
  } catch (error) {
    if (isReason(error, 'AlreadyExists')) return false;
    throw error;
  }
}

function reservations(client: KubeClient, namespace: string, narrower = ''): Promise<ConfigMap[]> {
  return client.list(RESOURCES.configMaps, { namespace, labelSelector: `${LABEL.component}=port${narrower}` });
}

const isOf =
  ({ uid }: PortOwner) =>
  ({ metadata }: ConfigMap): boolean =>
    metadata.labels?.[OWNER] === uid;
const portOf = (found: ConfigMap): number => Number(found.metadata.name.replace(/^polardb-port-/, ''));
const purposeOf = (found: ConfigMap): string => found.metadata.labels?.[PURPOSE] ?? '';
