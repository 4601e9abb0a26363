import type { OsUser } from './programs.ts';
import { releaseTimelines, reserveTimelines } from './timelines.ts';

/** The log that is one member's alone: its promotions open timelines there. */
export class OwnLog {
  /** `pg_wal`. */
  readonly directory: string;
  readonly #owner: OsUser | undefined;
  #opening: number | undefined;

  constructor(directory: string, owner: OsUser | undefined) {
    this.directory = directory;
    this.#owner = owner;
  }

  /** Timeline that the last promotion opens. Whoever goes on with it is this very process: a grant ends with it. */
  get opening(): number | undefined {
    return this.#opening;
  }

  /** Before a promotion is asked for, by the grant of `epoch`. */
  async reserve(epoch: number): Promise<void> {
    const opening = await reserveTimelines(this.directory, epoch, this.#owner);
    // Asked again, it may have come to its history file: the number after that is not its own.
    this.#opening ??= opening;
  }

  /** Before a boot as a follower. `isAgain`: to be promoted, under the grant of the promotion before. */
  async release(isAgain: boolean): Promise<void> {
    await releaseTimelines(this.directory, isAgain ? this.#opening : undefined);
    this.#opening = undefined;
  }
}
