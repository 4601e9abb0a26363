import type { KubeClient } from '../kube/client.ts';
import { isReason } from '../kube/errors.ts';
import { RESOURCES, type ConfigMap } from '../kube/resources.ts';
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
}

/**
 * Ports of a cluster on the host network. A port is taken by creating the object of its name, so that two clusters can
 * never get one. What this owner took before is found again: a crash in between leaks nothing.
 * @throws UserError when the engine port belongs to another cluster or no port is left
 */
export async function takeHostPorts(
  client: KubeClient,
  owner: PortOwner,
  enginePort: number,
  site: PortSite,
): Promise<InstancePorts> {
  const mine = new Map(
    (await reservations(client, site.systemNamespace, owner)).map(found => [purposeOf(found), found]),
  );
  if (!mine.has('engine')) await takeEnginePort(client, owner, enginePort, site);
  const take = async (purpose: 'agent' | 'health'): Promise<number> => {
    const found = mine.get(purpose);
    return found ? portOf(found) : takeFreePort(client, owner, purpose, site);
  };
  return { engine: enginePort, agent: await take('agent'), health: await take('health') };
}

/** Gives the ports of a deleted cluster back. */
export async function releaseHostPorts(client: KubeClient, owner: PortOwner, systemNamespace: string): Promise<void> {
  for (const found of await reservations(client, systemNamespace, owner)) {
    await client.delete(RESOURCES.configMaps, { namespace: systemNamespace, name: found.metadata.name });
  }
}

async function takeEnginePort(client: KubeClient, owner: PortOwner, port: number, site: PortSite): Promise<void> {
  if (await reserve(client, owner, { port, purpose: 'engine' }, site.systemNamespace)) return;
  throw new UserError('spec.netCfg.engineStartPort', `port ${port} belongs to another cluster; choose another one`);
}

async function takeFreePort(
  client: KubeClient,
  owner: PortOwner,
  purpose: 'agent' | 'health',
  site: PortSite,
): Promise<number> {
  const { external, reserved, systemNamespace } = site;
  const taken = new Set((await reservations(client, systemNamespace)).map(portOf));
  for (let port = external.first; port <= external.last; port++) {
    if (taken.has(port) || reserved.some(range => portInRange(port, range))) continue;
    if (await reserve(client, owner, { port, purpose }, systemNamespace)) return port;
  }
  throw new UserError(
    'polardb4mpd-controller: polarbox.mpd.external.port.range',
    `no port of ${external.first}-${external.last} is free; widen the range`,
  );
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

function reservations(client: KubeClient, namespace: string, owner?: PortOwner): Promise<ConfigMap[]> {
  const labelSelector = `${LABEL.component}=port` + (owner ? `,${OWNER}=${owner.uid}` : '');
  return client.list(RESOURCES.configMaps, { namespace, labelSelector });
}

const portOf = (found: ConfigMap): number => Number(found.metadata.name.replace(/^polardb-port-/, ''));
const purposeOf = (found: ConfigMap): string => found.metadata.labels?.[PURPOSE] ?? '';
