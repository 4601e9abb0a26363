import { createHash } from 'node:crypto';
import type { KubeClient } from '../../kube/client.ts';
import type { Clock } from '../../kube/clock.ts';
import { LeaderElector } from '../../kube/leader.ts';
import type { Logger } from '../../kube/types.ts';
import { prePullLease } from '../../model/host.ts';

export interface SlotOptions {
  client: Pick<KubeClient, 'get' | 'create' | 'replace'>;
  /** Where the Leases of the slots are. */
  namespace: string;
  host: string;
  /** Unique among all processes there ever are. */
  identity: string;
  log: Logger;
  clock: Clock;
  random: () => number;
}

/** Slow, so that hundreds of hosts that wait do not burden the server. */
const TIMING = { leaseMs: 60_000, renewDeadlineMs: 40_000, retryMs: 15_000 };

/**
 * Does the work when this host holds its slot, one of `slots` for the whole site, each a Lease: no more than that many
 * hosts do it at a time. The slot of a host is given by its name, so that hosts do not race for all of them.
 * The signal of the work aborts when `signal` does, and when the slot is lost.
 */
export async function inSlot(
  options: SlotOptions,
  slots: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { client, namespace, host, identity, log, clock, random } = options;
  const lost = new AbortController();
  let onStarted = (): void => undefined;
  const held = new Promise<void>(resolve => (onStarted = resolve));
  const elector = new LeaderElector({
    client,
    lease: { namespace, name: prePullLease(slotOf(host, slots)) },
    identity,
    onStarted,
    onLost: reason => lost.abort(new Error(reason)),
    log,
    timing: TIMING,
    clock,
    random,
  });
  elector.start();
  try {
    await Promise.race([held, aborted(signal)]);
    if (!signal.aborted) await work(AbortSignal.any([signal, lost.signal]));
  } finally {
    await elector.stop();
  }
}

/** From 0 to `slots` - 1, the same for a host each time. */
function slotOf(host: string, slots: number): number {
  return createHash('sha256').update(host).digest().readUInt32BE(0) % slots;
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
