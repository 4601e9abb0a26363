import { addressesOf, nodeAddress, prefixLength } from './addresses.ts';
import { bridge, podRoutes, type ClusterSettings } from './control-plane.ts';
import { entering, inside, type Machine } from './machines.ts';
import { nodeName } from './node.ts';
import { run } from './run.ts';

const uplink = 'host';

/** Networks that this machine has routes to or addresses in, other than by links of local clusters. */
export async function routesOfMachine(): Promise<string[]> {
  const routes = JSON.parse(await run('ip', ['-json', '-4', 'route', 'show', 'table', 'all'])) as {
    dst: string;
    dev?: string;
    type?: string;
  }[];
  return routes.filter(({ dev }) => !dev?.startsWith('polardb-k8s-')).map(({ dst }) => dst);
}

/** Connects this machine with the cluster: the API server, nodes, pods and Services are reached from here. */
export async function connectHost(settings: ClusterSettings, control: Machine): Promise<void> {
  const { hostLink, host } = addressesOf(settings.index);
  // The address is given last: a link without it is of a start that was cut off, and made anew.
  if ((await hasLink(control, uplink)) && (await hasAddress([], hostLink, host))) return;
  await removeHostLink(settings.index);
  await run('ip', ['link', 'add', hostLink, 'type', 'veth', 'peer', 'name', uplink, 'netns', String(control.pid)]);
  await batch(['nsenter', ...entering(control, 'network')], [`link set ${uplink} master ${bridge} up`]);
  await batch(
    [],
    [
      `address add ${host}/${prefixLength} dev ${hostLink}`,
      `link set ${hostLink} up`,
      ...podRoutes(settings).map(route => `route add ${route}`),
    ],
  );
}

/** Connects a node with the bridge in the control plane's network. */
export async function connectNode(
  settings: ClusterSettings,
  control: Machine,
  node: Machine,
  n: number,
): Promise<void> {
  const { index } = settings;
  const onNode = ['nsenter', ...entering(node, 'network')];
  if (await hasAddress(onNode, 'eth0', nodeAddress(index, n))) return;
  if (await hasLink(node, 'eth0')) await inside(node, 'network', ['ip', 'link', 'delete', 'eth0']);
  const name = nodeName(n);
  const link = ['link', 'add', name, 'netns', String(control.pid), 'type', 'veth'];
  await run('ip', [...link, 'peer', 'name', 'eth0', 'netns', String(node.pid)]);
  await batch(['nsenter', ...entering(control, 'network')], [`link set ${name} master ${bridge} up`]);
  await batch(onNode, [
    `address add ${nodeAddress(index, n)}/${prefixLength} dev eth0`,
    'link set eth0 up',
    `route add default via ${addressesOf(index).host}`,
    ...podRoutes(settings, n).map(route => `route add ${route}`),
  ]);
}

/** Cuts or mends the link of a node. */
export async function setLink(control: Machine, node: string, state: 'up' | 'down'): Promise<void> {
  await inside(control, 'network', ['ip', 'link', 'set', node, state]);
}

/**
 * Lets this machine and the API server reach Services, by a node whose link is up: its kube-proxy
 * translates the addresses. (A kube-proxy here would meddle with the rules of this machine.)
 *
 * The present one is kept while its link is up, unless another is preferred: connections live in its tables, and a
 * node that has just come back knows the Services of before its loss until its kube-proxy has caught up.
 */
export async function routeServices(settings: ClusterSettings, control: Machine, preferred?: string): Promise<void> {
  const { services } = addressesOf(settings.index);
  const addresses = new Map(
    Array.from({ length: settings.nodes }, (_, i) => [nodeName(i + 1), nodeAddress(settings.index, i + 1)]),
  );
  const [links, present] = await Promise.all([linksThatAreUp(control), gatewayTo(services)]);
  const candidates = [...addresses].filter(([name]) => links.has(name));
  const chosen =
    candidates.find(([name]) => name === preferred) ??
    candidates.find(([, address]) => address === present) ??
    candidates[0];
  if (!chosen || chosen[1] === present) return;
  const route = [`route replace ${services} via ${chosen[1]}`];
  await batch([], route);
  await batch(['nsenter', ...entering(control, 'network')], route);
}

/** The gateway of this machine's route to a network, if it has one. */
async function gatewayTo(network: string): Promise<string | undefined> {
  const routes = JSON.parse(await run('ip', ['-json', '-4', 'route', 'show', network])) as { gateway?: string }[];
  return routes[0]?.gateway;
}

/** Removes the link of this machine into a cluster, if there is one; the other links go with their machines. */
export async function removeHostLink(index: number): Promise<void> {
  const { hostLink } = addressesOf(index);
  const links = JSON.parse(await run('ip', ['-json', 'link', 'show'])) as { ifname?: string }[];
  // The kernel may remove it by itself at this moment, with the network of a machine that ended.
  if (links.some(({ ifname }) => ifname === hostLink))
    await run('ip', ['link', 'delete', hostLink]).catch(() => undefined);
}

/** Names of the nodes whose link is not cut. */
export async function linksThatAreUp(control: Machine): Promise<Set<string>> {
  const links = JSON.parse(await inside(control, 'network', ['ip', '-json', 'link', 'show', 'up'])) as {
    ifname?: string;
  }[];
  return new Set(links.flatMap(({ ifname }) => ifname ?? []));
}

async function hasLink(machine: Machine, name: string): Promise<boolean> {
  const links = JSON.parse(await inside(machine, 'network', ['ip', '-json', 'link', 'show'])) as { ifname?: string }[];
  return links.some(({ ifname }) => ifname === name);
}

async function hasAddress(prefix: readonly string[], link: string, address: string): Promise<boolean> {
  const [program, ...args] = [...prefix, 'ip', '-json', '-4', 'address', 'show'];
  const links = JSON.parse(await run(program, args)) as { ifname?: string; addr_info?: { local?: string }[] }[];
  const own = links.find(({ ifname }) => ifname === link);
  return own?.addr_info?.some(({ local }) => local === address) ?? false;
}

async function batch(prefix: readonly string[], commands: readonly string[]): Promise<void> {
  const [program, ...args] = [...prefix, 'ip', '-batch', '-'];
  await run(program, args, { input: commands.join('\n') + '\n' });
}
