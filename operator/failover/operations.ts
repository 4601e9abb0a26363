import type { Decision, RequestVerdict } from '../ha/action.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import type { EventNote } from '../kube/events.ts';
import { patchStatusIfChanged } from '../kube/status.ts';
import type { OperationRecord } from '../workflow/record.ts';
import { MPD_OPERATIONS, type RawOperation } from '../kinds/mpd.ts';
import { Newest } from './newest.ts';
import { askedFor, journalAfter, journalCancelled, type Asked, type Life } from './requests.ts';

interface OperationsOptions {
  client: Pick<KubeClient, 'patchStatus'>;
  clock: Clock;
  event: (note: EventNote) => void;
  /** What a forced failover may have lost. */
  loss: () => string | undefined;
}

/** Decisions about the group wait for the answer: not longer than for one about its record, ms. */
const LIMIT_MS = 2_000;

const withLimit = (client: Pick<KubeClient, 'patchStatus'>): Pick<KubeClient, 'patchStatus'> => ({
  patchStatus: (type, ref, status, options) =>
    client.patchStatus(type, ref, status, { ...options, timeoutMs: LIMIT_MS }),
});

/** The operations of one group that this part carries out, and their journals. */
export class Operations {
  readonly #options: OperationsOptions;
  readonly #newest = new Newest<RawOperation>();

  constructor(options: OperationsOptions) {
    this.#options = options;
  }

  /** @param seen as the watch shows them */
  asked(seen: readonly RawOperation[], life: Life): Asked | undefined {
    const newest = seen.map(it => this.#newest.of(it) ?? it);
    return askedFor(newest, life);
  }

  /**
   * Writes the verdict down before anything else is done for it, or that it was called off. @returns whether there was
   * something to write. @throws KubeError `Conflict`: look again
   */
  async judged({ object, calledOff }: Asked, { request }: Decision): Promise<boolean> {
    const now = this.#options.clock.date().toISOString();
    if (calledOff !== undefined) await this.#write(object, journalCancelled(object, calledOff, now));
    else if (request) await this.#judge(object, request, now);
    return calledOff !== undefined || request !== undefined;
  }

  async #judge(object: RawOperation, request: RequestVerdict, now: string): Promise<void> {
    await this.#write(object, this.#journal(object, request, now));
    const { outcome, message } = request;
    const isBad = outcome === 'refused' || outcome === 'failed';
    if (isBad) this.#options.event({ type: 'Warning', reason: 'SwitchoverRefused', message });
  }

  async #write(object: RawOperation, journal: OperationRecord): Promise<void> {
    const status = { ...journal, observedGeneration: object.metadata.generation };
    const client = withLimit(this.#options.client);
    this.#newest.wrote(await patchStatusIfChanged(client, MPD_OPERATIONS, object, status));
  }

  /** What may be lost is written down with the operation that accepted it, when it is known. */
  #journal(object: RawOperation, verdict: RequestVerdict, now: string): OperationRecord {
    const journal = journalAfter(object, verdict, now);
    const isDone = object.spec.type === 'forceFailover' && verdict.outcome === 'done';
    const loss = isDone ? this.#options.loss() : undefined;
    return loss === undefined ? journal : { ...journal, data: { ...journal.data, loss } };
  }
}
