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
  #isSeen = false;

  /** Since it last streamed or was pointed at an upstream. */
  get isSeen(): boolean {
    return this.#isSeen;
  }

  line(text: string): void {
    if (REFUSALS.some(it => it.test(text))) this.#isSeen = true;
  }

  clear(): void {
    this.#isSeen = false;
  }
}
