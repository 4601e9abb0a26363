import type { Silent } from '../agent-api/beat.ts';
import type { AgentEndpoint } from '../agent-api/client.ts';
import type { Probe } from '../ha/evidence.ts';
import { isExpiryProof } from '../ha/fence.ts';
import { formatIncarnation, type Incarnation } from '../ha/incarnation.ts';
import type { GroupRecord } from '../ha/record.ts';
import { optionsOf } from './gather.ts';
import { isOf, type Heard } from './reports.ts';
import type { GroupTarget } from './target.ts';

/** What is known of the agent of a holder. */
export interface Listening {
  endpoint: AgentEndpoint;
  /** ms of our monotonic clock: from when on it could have been heard. */
  since: number;
  heard?: Heard;
}

export interface SilenceContext {
  /** ms of our monotonic clock. */
  now: number;
  silentMs: number;
  /** Name of this cluster manager. */
  cm: string;
}

/** The RW whose silence matters: somebody could follow it when its right has run out. */
export function watchedHolder(target?: GroupTarget, record?: GroupRecord): Incarnation | undefined {
  if (!target || !record) return undefined;
  const { topology, cluster } = target;
  return isExpiryProof({ topology, options: optionsOf(cluster.spec.ha) }, record) ? record.holder : undefined;
}

/** What others are asked about this holder; undefined while it is heard. */
export function silenceOf(
  holder: Incarnation,
  { endpoint, since, heard }: Listening,
  { now, silentMs, cm }: SilenceContext,
): Silent | undefined {
  if (now - (heard?.at ?? since) < silentMs) return undefined;
  const { address, port, serverName } = endpoint;
  return { incarnation: formatIncarnation(holder), address, port, serverName, since: heard?.report.nonce ?? cm };
}

/** What others found when they were asked about this very silence: what they found before it proves nothing. */
export function probesOf(about: Incarnation, { since }: Silent, others: readonly Heard[]): Probe[] {
  return others.flatMap(({ incarnation: by, report: { probe }, at }) => {
    const isAnswer = probe?.since === since && probe.incarnation === formatIncarnation(about) && !isOf(by, about);
    return isAnswer ? [{ by, about, reached: probe.reached, at }] : [];
  });
}
