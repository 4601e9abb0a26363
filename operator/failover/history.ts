import type { GroupRecord, Rung } from '../ha/record.ts';
import type { ConfigMap } from '../kube/resources.ts';
import { switchLog } from '../model/names.ts';
import type { GroupTarget } from './target.ts';
import { childMeta } from '../kinds/child.ts';

/** One change of the RW. Times ISO 8601 for people; durations by a monotonic clock, ms. */
export interface SwitchEntry {
  epoch: number;
  /** The policy that took the former RW its right, in one word, and its reason. */
  cause: string;
  why: string;
  /** Instance ids. */
  from?: string;
  to?: string;
  rung?: Rung;
  evidence?: string;
  /** When the RW was last seen in order. */
  startedAt: string;
  /** Since then; a part that another leader did is missing. */
  partsMs: Partial<Record<SwitchPart, number>>;
  /** From the last sign of a working RW to its successor's publication. */
  gapMs?: number;
  /** What may be lost, when a person forced it. */
  atRisk?: string;
}

export type SwitchPart = (typeof SWITCH_PARTS)[number];
export const SWITCH_PARTS = ['detect', 'revoke', 'fence', 'grant', 'promote', 'publish'] as const;

/** Newest switches kept. */
const MOST_ENTRIES = 20;
const KEY = 'switches';

/** A moment by both clocks. */
export interface Moment {
  /** Monotonic, ms. */
  ms: number;
  iso: string;
}

/** Follows one switch from its first sign to the publication of the successor. */
export class SwitchRecorder {
  #open: { entry: SwitchEntry; startedMs: number; lastMs: number } | undefined;

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** @param since when the RW was last in order */
  revoked(
    record: GroupRecord,
    { policy, why }: { policy: string; why: string },
    times: { since: Moment; decided: Moment; now: Moment },
  ): void {
    const { since, decided, now } = times;
    const from = record.former?.incarnation.instanceId;
    const entry: SwitchEntry = {
      epoch: record.epoch,
      cause: policy,
      why,
      ...(from !== undefined && { from }),
      startedAt: since.iso,
      partsMs: { detect: round(decided.ms - since.ms) },
    };
    this.#open = { entry, startedMs: since.ms, lastMs: decided.ms };
    this.passed('revoke', now);
  }

  /** A part of the switch has ended now. @returns false when it had before, or nothing is going on */
  passed(part: SwitchPart, now: Moment): boolean {
    if (!this.#open || this.#open.entry.partsMs[part] !== undefined) return false;
    this.#open.entry.partsMs[part] = round(now.ms - this.#open.lastMs);
    this.#open.lastMs = now.ms;
    return true;
  }

  /** @param loss of a forced grant */
  granted(record: GroupRecord, loss: string | undefined, now: Moment): void {
    if (!this.#open) return;
    const { rung, evidence } = record.fence ?? {};
    this.#open.entry = {
      ...this.#open.entry,
      ...(record.holder && { to: record.holder.instanceId }),
      ...(rung && { rung }),
      ...(evidence !== undefined && { evidence }),
      ...(loss !== undefined && { atRisk: loss }),
    };
    this.passed('grant', now);
  }

  /** The successor is published: the switch is over. @returns its entry */
  published(now: Moment): SwitchEntry | undefined {
    if (!this.#open) return undefined;
    this.passed('publish', now);
    const { entry, startedMs } = this.#open;
    this.#open = undefined;
    return { ...entry, gapMs: round(now.ms - startedMs) };
  }

  /** Somebody else brings it to its end, or nobody. */
  forget(): void {
    this.#open = undefined;
  }
}

/** Entries that a map holds, newest first; what cannot be read is as good as not there: nothing is decided by it. */
export function readSwitches(map: Pick<ConfigMap, 'data'> | undefined): SwitchEntry[] {
  try {
    const found: unknown = JSON.parse(map?.data?.[KEY] ?? '[]');
    return Array.isArray(found) ? (found as SwitchEntry[]) : [];
  } catch {
    return [];
  }
}

/**
 * The map with this switch put first. A map beside the cluster, not its status: status is rewritten and watched at every
 * change of state, and history would travel with each.
 */
export function buildSwitchLog(target: GroupTarget, before: readonly SwitchEntry[], entry: SwitchEntry): ConfigMap {
  const newest = [entry, ...before.filter(it => it.epoch !== entry.epoch)].slice(0, MOST_ENTRIES);
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: childMeta(target, switchLog(target.name)),
    data: { [KEY]: `[\n${newest.map(it => JSON.stringify(it)).join(',\n')}\n]` },
  };
}

const round = (ms: number): number => Math.max(0, Math.round(ms));
