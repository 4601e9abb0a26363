import pg from 'pg';
import type { TaskState } from '../../agent-api/state.ts';
import { memberSlot, type ApiUpstream } from '../../agent-api/schemas.ts';
import { parseIncarnation } from '../../ha/incarnation.ts';
import { createRecord, grant, revoke, type GroupRecord, type Transition } from '../../ha/record.ts';
import { CLUSTER, REPLICATOR_PASSWORD, type Pod, type Site } from './pod.ts';

/** Small enough for several engines on a laptop. */
export const SETTINGS = { shared_buffers: '16MB', max_connections: '20', max_wal_size: '64MB', min_wal_size: '32MB' };
const NOTE = { containerId: 'containerd://1', startedAt: '2026-01-01T00:00:00Z', node: 'n1' };
const WAIT_MS = 20_000;

/** What the operator does with the record, in memory. */
export function begin(site: Site): void {
  site.api.record = createRecord(CLUSTER.uid);
}

export function grantTo(site: Site, incarnation: string, members: readonly string[] = [], k = 0): void {
  const { record } = site.api;
  const fence = record?.former && {
    incarnation: record.former.incarnation,
    epoch: record.epoch,
    rung: 1 as const,
    evidence: 'test',
    at: NOTE.startedAt,
  };
  const to = parseIncarnation(incarnation)!;
  const full = members.map(it => ({ incarnation: parseIncarnation(it)!, pending: false }));
  site.api.record = taken(grant(record!, { to, note: NOTE, members: full, k, fence }));
}

export function revokeNow(site: Site): void {
  site.api.record = taken(revoke(site.api.record!, NOTE.startedAt));
}

function taken(transition: Transition): GroupRecord {
  if (!transition.ok) throw new Error(transition.message);
  return transition.record;
}

/** First creation of an RW: record, initdb, grant, promote, replicator. @returns its incarnation */
export async function createRw(site: Site, pod: Pod): Promise<string> {
  const incarnation = await pod.start();
  begin(site);
  const task = { kind: 'initialize', settings: SETTINGS } as const;
  done(await pod.client.install({ command: site.command(incarnation), task, waitMs: WAIT_MS }));
  await promote(site, pod, incarnation);
  const account = { name: 'replicator', password: REPLICATOR_PASSWORD, level: 15 } as const;
  await pod.client.account({ command: site.command(incarnation), ...account });
  return incarnation;
}

export async function promote(site: Site, pod: Pod, incarnation: string): Promise<void> {
  grantTo(site, incarnation);
  done(await pod.client.promote({ command: site.command(incarnation), waitMs: WAIT_MS }));
}

/** A follower of `rw`, from a blank volume. @param slots of all followers that `rw` shall have */
export async function createRo(
  site: Site,
  rw: Pod,
  ro: Pod,
  slots = [memberSlot(ro.config.instanceId)],
): Promise<string> {
  const rwIncarnation = (await rw.client.state()).incarnation;
  const incarnation = await ro.start();
  await rw.client.slots({ command: site.command(rwIncarnation), slots });
  const upstream = upstreamOf(rw, ro);
  done(
    await ro.client.install({ command: site.command(incarnation), task: { kind: 'join', upstream }, waitMs: WAIT_MS }),
  );
  const start = { role: 'ro', upstream, settings: SETTINGS } as const;
  done(await ro.client.start({ command: site.command(incarnation), ...start, waitMs: WAIT_MS }));
  return incarnation;
}

export const upstreamOf = (rw: Pod, ro: Pod): ApiUpstream => ({
  host: 'orders-rw.db.svc',
  address: '127.0.0.1',
  port: rw.config.ports.engine,
  slot: memberSlot(ro.config.instanceId),
});

export function done(task: TaskState): TaskState {
  if (task.state === 'done') return task;
  throw new Error(`task ${task.kind} is ${task.state}: ${JSON.stringify(task.error)}`);
}

/** A client over the network, TLS and password. */
export async function connect(site: Site, pod: Pod, user: string, password: string): Promise<pg.Client> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: pod.config.ports.engine,
    user,
    password,
    database: 'postgres',
    ssl: { ca: site.ca.certificate, servername: `orders-${pod.config.instanceId}` },
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
