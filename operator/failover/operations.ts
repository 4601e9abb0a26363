import type { Decision, RequestVerdict } from '../ha/action.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import type { EventNote } from '../kube/events.ts';
import { patchStatusIfChanged } from '../kube/status.ts';
import type { OperationRecord } from '../workflow/record.ts';
import { MPD_OPERATIONS, type RawOperation } from '../kinds/mpd.ts';
import { Newest } from './newest.ts';
import { askedFor, journalAfter, journalCancelled, type Asked } from './requests.ts';

interface OperationsOptions {
  client: Pick<KubeClient, 'patchStatus'>;
  clock: Clock;
  event: (note: EventNote) => void;
  /** What a forced failover may have lost. */
  loss: () => string | undefined;
}

/** The operations of one group that this part carries out, and their journals. */
export class Operations {
  readonly #options: OperationsOptions;
  readonly #newest = new Newest<RawOperation>();

  constructor(options: OperationsOptions) {
    this.#options = options;
  }

  /** @param seen as the watch shows them */
  asked(seen: readonly RawOperation[]): Asked | undefined {
    return askedFor(seen.map(it => this.#newest.of(it) ?? it));
  }

  /** Writes the verdict down before anything else is done for it. @throws KubeError `Conflict`: look again */
  async judged({ object, isCancelled }: Asked, { request }: Decision): Promise<void> {
    if (!request) return;
    const now = this.#options.clock.date().toISOString();
    const journal = isCancelled ? journalCancelled(object, now) : this.#journal(object, request, now);
    const status = { ...journal, observedGeneration: object.metadata.generation };
    this.#newest.wrote(await patchStatusIfChanged(this.#options.client, MPD_OPERATIONS, object, status));
    const { outcome, message } = request;
    const isBad = outcome === 'refused' || outcome === 'failed';
    if (isBad) this.#options.event({ type: 'Warning', reason: 'SwitchoverRefused', message });
  }

  /** What may be lost is written down with the operation that accepted it. */
  #journal(object: RawOperation, verdict: RequestVerdict, now: string): OperationRecord {
    const journal = journalAfter(object, verdict, now);
    const loss = object.spec.type === 'forceFailover' ? this.#options.loss() : undefined;
    return loss === undefined ? journal : { ...journal, data: { ...journal.data, loss } };
  }
}
