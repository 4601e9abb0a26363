import { formatIncarnation, isSameIncarnation, type Incarnation } from '../incarnation.ts';
import { isFirstCreation, type GroupRecord } from '../record.ts';
import type { EngineRun } from './engine-run.ts';

/** A promise of the protocol was broken. Found at the moment it happens. */
export class PromiseBroken extends Error {
  constructor(what: string) {
    super(what);
    this.name = 'PromiseBroken';
  }
}

export interface Acknowledged {
  row: number;
  lsn: number;
  by: string;
  run: EngineRun;
}

/**
 * What is promised: every acknowledged row is in the history of every later RW; at no instant can two incarnations
 * acknowledge; no grant without a fence record; epochs only
 * grow, and each has one holder at most.
 */
export class Promises {
  /**
   * An excuse for a whole host that was frozen, in `local`: answers for rows that the later RW has too (protocol), and a
   * promotion that goes on when it thaws, until it is killed. What that one acknowledges is looked at like all else.
   */
  readonly #mayAnswerLate: (run: EngineRun) => boolean;
  #latest?: EngineRun;
  readonly #holders = new Map<number, Incarnation>();
  /** A person forced a promotion: its loss is stated, so what came before it does not count. */
  #acknowledged: Acknowledged[] = [];

  constructor(mayAnswerLate: (run: EngineRun) => boolean) {
    this.#mayAnswerLate = mayAnswerLate;
  }

  /** The last acknowledged row was this RW's. */
  isAcknowledging(run: EngineRun): boolean {
    return this.#acknowledged.at(-1)?.run === run;
  }

  /** Who acknowledges at present, or did last. */
  get latest(): EngineRun | undefined {
    return this.#latest;
  }

  onAcknowledged(row: number, run: EngineRun): void {
    const lsn = run.data.rows.lastIndexOf(row) + 1;
    if (run !== this.#latest && !this.#isExcused(run, row, lsn)) {
      throw new PromiseBroken(`${run.name} acknowledges while ${this.#latest?.name ?? 'nobody'} is the RW`);
    }
    this.#acknowledged.push({ row, lsn, by: run.name, run });
  }

  onWriter(run: EngineRun): void {
    if (this.#mayAnswerLate(run) && run.data.epoch < (this.#latest?.data.epoch ?? 0)) return;
    this.#latest = run;
    const lost = this.#acknowledged.find(it => run.data.rows[it.lsn - 1] !== it.row);
    if (lost) throw new PromiseBroken(`row ${lost.row}, acknowledged by ${lost.by}, is missing on the RW ${run.name}`);
  }

  /** A person said that rows may be lost. */
  forgive(): void {
    this.#acknowledged = [];
  }

  onRecord(before: GroupRecord | undefined, next: GroupRecord): void {
    if (before && next.epoch < before.epoch) throw new PromiseBroken(`epoch ${next.epoch} after ${before.epoch}`);
    this.#onHolder(next);
    const isGrant = before && !before.holder && next.holder && !isFirstCreation(before);
    if (isGrant && !isFenced(before, next)) throw new PromiseBroken('grant without a fence record');
  }

  /** One epoch has one holder, whatever was restored. */
  #onHolder({ epoch, holder }: GroupRecord): void {
    if (!holder) return;
    const known = this.#holders.get(epoch) ?? holder;
    this.#holders.set(epoch, known);
    if (!isSameIncarnation(known, holder)) {
      throw new PromiseBroken(
        `epoch ${epoch} has two holders: ${formatIncarnation(known)}, ${formatIncarnation(holder)}`,
      );
    }
  }

  #isExcused(run: EngineRun, row: number, lsn: number): boolean {
    return this.#mayAnswerLate(run) && this.#latest?.data.rows[lsn - 1] === row;
  }
}

function isFenced({ former }: GroupRecord, { fence, epoch }: GroupRecord): boolean {
  if (!former || fence?.epoch !== epoch) return false;
  return isSameIncarnation(fence.incarnation, former.incarnation);
}
