import { formatConf, formatConninfo, parseConninfo } from '../conf.ts';
import type { Upstream } from '../profile.ts';
import { ProgramError } from '../programs.ts';
import { upstreamConninfo } from '../upstream.ts';
import { parseFork, type Fork } from './kept-log.ts';

/** Of a setting in MB. */
const MOST_MB = 2 ** 31 - 1;

export interface Rewind {
  upstream: Upstream;
  caFile: string;
  /** Data directory; the engine in it must be stopped. */
  directory: string;
  /** It stands outside the data directory, where the recovery that pg_rewind runs first would not find it. */
  configFile: string;
}

/**
 * Arguments of pg_rewind. It reads the RW's files by SQL as `replicator`, whose level of the original's (15) may do that.
 * A target that was killed is recovered first, by pg_rewind itself. With `--progress` it says when it begins to write.
 */
export function rewindArgs({ upstream, caFile, directory, configFile }: Rewind): string[] {
  const conninfo = Object.fromEntries(parseConninfo(upstreamConninfo(upstream, caFile)));
  const source = formatConninfo({ ...conninfo, dbname: 'postgres', application_name: 'polardb-stack rewind' });
  return [`--target-pgdata=${directory}`, `--source-server=${source}`, `--config-file=${configFile}`, '--progress'];
}

/**
 * A target that was killed is recovered first, and the checkpoint at the end of that would do away with the log from the
 * last common checkpoint on. Here it may not.
 * @param confFile the engine's own configuration
 */
export const keepingConf = (confFile: string): string =>
  `include '${confFile.replaceAll("'", "''")}'\n${formatConf({ wal_keep_size: `${MOST_MB}MB` })}`;

/** The first line, before the data is looked at, or recovered. */
const CONNECTED = /connected to server/;

/** The last line before the first write, and what is said while it writes. */
const WRITES = /need to copy \d+ MB|kB \(\d+%\) copied|creating backup label|syncing target data directory/;

/** What pg_rewind has said until now of one rewind. */
export class RewindOutput {
  readonly #wasKilledFollower: boolean;
  #fork: Fork | undefined;
  #isConnected = false;
  #hasBegun = false;
  #isSameTimeline = false;
  #isNotNeeded = false;

  /** @param wasKilledFollower the data is a follower's that did not stop in order, or a base backup that never started */
  constructor(wasKilledFollower: boolean) {
    this.#wasKilledFollower = wasKilledFollower;
  }

  /** Where the histories part. */
  get fork(): Fork | undefined {
    return this.#fork;
  }

  /**
   * Is the data still what it was? Recovered as it was killed, an RW's is. But that recovery, once the RW is reached, makes
   * an RW of a follower: it adds a checkpoint where the follower's log ended, and the RW's own log goes on otherwise there.
   */
  get isUntouched(): boolean {
    return !this.#hasBegun && !(this.#isConnected && this.#wasKilledFollower);
  }

  line(text: string): void {
    this.#fork ??= parseFork(text);
    this.#isConnected ||= CONNECTED.test(text);
    this.#hasBegun ||= WRITES.test(text);
    this.#isSameTimeline ||= /on the same timeline/.test(text);
    this.#isNotNeeded ||= /no rewind required/.test(text);
  }

  /**
   * After pg_rewind has ended well: does the data fit now? Before the RW's first checkpoint on its timeline pg_rewind sees
   * one history where there are two, and does nothing. Nor does it see the checkpoint that it had a killed follower add.
   * @throws Error when not
   */
  requireFit(): void {
    if (this.#isSameTimeline) throw new Error('pg_rewind does not see yet that the histories have parted');
    if (this.#isNotNeeded && this.#wasKilledFollower)
      throw new Error('pg_rewind recovered a follower that was killed, and left the checkpoint of that in its log');
  }
}

/** What libpq and the server say of a connection that there is none of, or that ended. */
const UNREACHABLE = [
  /connection to server .* failed: (?!FATAL)/,
  /the database system is (starting up|shutting down|in recovery mode|not (yet )?accepting connections)/,
  /server closed the connection unexpectedly|no connection to the server|terminating connection/,
  /SSL SYSCALL error|SSL connection has been closed unexpectedly|could not receive data from server/,
];

/** Did pg_rewind fail because it did not reach the RW? A copy would not either. */
export const isUnreachable = (error: unknown): boolean =>
  error instanceof ProgramError && UNREACHABLE.some(it => it.test(error.stderr));
