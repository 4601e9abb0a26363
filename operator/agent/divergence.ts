import { AgentError } from '../agent-api/errors.ts';

/**
 * What an engine says when its history has parted from its upstream's, or when the upstream has thrown away the WAL that it
 * needs: no waiting helps then. ("Highest timeline of the primary is behind" is not among them: so says a follower of one
 * that is only about to be promoted.)
 */
const REFUSALS = [
  /is not in this server's history/,
  /is not a child of this server's history/,
  /forked off current database system timeline \d+ before current recovery point/,
  // Rewound after an RW that is none any more, and further than the history of the next one goes.
  /before reaching minimum recovery point/,
  /does not contain minimum recovery point/,
  /requested WAL segment \S+ has already been removed/,
];

/** Listens to an engine's log for that. */
export class Divergence {
  #seen = new AbortController();

  /** Since it last streamed or was pointed at an upstream. */
  get isSeen(): boolean {
    return this.#seen.signal.aborted;
  }

  /** Aborted once it is seen: whoever waits for the engine to come up waits in vain. Another one after each {@link clear}. */
  get signal(): AbortSignal {
    return this.#seen.signal;
  }

  line(text: string): void {
    if (this.isSeen || !REFUSALS.some(it => it.test(text))) return;
    this.#seen.abort(new AgentError('EngineFailed', `the engine cannot follow its upstream: ${text}`));
  }

  clear(): void {
    if (this.isSeen) this.#seen = new AbortController();
  }
}
