import { setTimeout as sleep } from 'node:timers/promises';
import { auditMark, auditSince, type AuditEvent } from '../../e2e/support/audit.ts';
import { Faults } from '../../e2e/support/faults.ts';
import { HostFleet } from '../../e2e/support/fleet/hosts.ts';
import { installKinds } from '../../e2e/support/kinds.ts';
import { settingsMaps } from '../../e2e/support/settings-maps.ts';
import { KubeClient } from '../../operator/kube/client.ts';
import { findCredentials } from '../../operator/kube/credentials.ts';
import { RESOURCES } from '../../operator/kube/resources.ts';
import { down, up } from '../kubernetes/cluster.ts';
import type { Figure } from './figures.ts';
import { measurePortScan, OneHost } from './one-host.ts';

const NAME = 'bench-hosts';
const NAMESPACE = 'kube-system';
const HOSTS = 500;
/** One that is not simulated: the daemon's own cost is measured there. */
const OWN_NODE = 'host-itself';
/** Heartbeats come every 30 s; the last one of the loops begins within as long. */
const SETTLE_MS = 35_000;
const MINUTES = 2;
const MINUTE_MS = 60_000;

/** What the daemon costs its host, and what the daemons of many ask of an API server, while nothing changes. */
export async function measureHosts(): Promise<Figure[]> {
  const local = await up({ name: NAME, nodes: 0 });
  const credentials = findCredentials({ kubeconfig: local.kubeconfig });
  const client = new KubeClient({ credentials, fieldManager: 'bench' });
  let fleet: HostFleet | undefined;
  let own: OneHost | undefined;
  const figures = [await measurePortScan()];
  try {
    // It would taint nodes that no kubelet speaks for.
    await new Faults(local).freeze('kube-controller');
    await installKinds(local, client);
    fleet = await HostFleet.open({ client, credentials, settingsNamespace: NAMESPACE });
    for (const map of await settingsMaps({ settingsNamespace: NAMESPACE, network: { clientCard: fleet.card } }))
      await client.create(RESOURCES.configMaps, map);
    await fleet.start(HOSTS);
    await fleet.haveTold();
    await client.create(RESOURCES.nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: OWN_NODE } });
    const { kubeconfig } = local;
    const place = { kubeconfig, settingsNamespace: NAMESPACE, node: OWN_NODE, criSocket: fleet.criSocket };
    own = await OneHost.start(place);
    await sleep(SETTLE_MS);
    const minutes: number[][] = [];
    for (let i = 0; i < MINUTES; i++) {
      const [writes] = await Promise.all([writesIn(local.auditLog), own.watch(MINUTE_MS)]);
      minutes.push(writes);
    }
    const name = `${HOSTS} hosts, nothing changes: writes`;
    const perSecond = { unit: 'per second', kind: 'count' } as const;
    return [
      ...figures,
      ...own.figures(),
      { ...perSecond, name, values: minutes.map(it => it.length / 60), atMost: 20 },
      { ...perSecond, name: `${name}, the fullest second`, values: minutes.map(fullest), kind: 'time' },
    ];
  } finally {
    await own?.stop();
    await fleet?.stop();
    await client.close();
    await down(NAME);
  }
}

/** Moments of the writes of one minute, ms since the epoch. */
async function writesIn(log: string): Promise<number[]> {
  const mark = await auditMark(log);
  await sleep(MINUTE_MS);
  return (await auditSince(log, mark)).filter(isWrite).map(it => Date.parse(it.requestReceivedTimestamp));
}

/** Of the daemons: parts of the control plane have users of their own. */
const isWrite = ({ verb, user }: AuditEvent): boolean =>
  !['get', 'list', 'watch'].includes(verb) && !user.username.startsWith('system:');

function fullest(moments: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const moment of moments) {
    const second = Math.floor(moment / 1_000);
    counts.set(second, (counts.get(second) ?? 0) + 1);
  }
  return Math.max(0, ...counts.values());
}
