import { formatConf, formatConninfo, parseConninfo } from '../conf.ts';
import type { Upstream } from '../profile.ts';
import type { ProgramResult } from '../programs.ts';
import { upstreamConninfo } from '../upstream.ts';

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
 * A target that was killed is recovered first, by pg_rewind itself.
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

/**
 * Before the RW's first checkpoint on its timeline pg_rewind sees one history where there are two, and does nothing.
 * @throws Error then: the data is not rewound
 */
export function refuseUnseen({ stderr }: Pick<ProgramResult, 'stderr'>): void {
  if (/on the same timeline/.test(stderr)) throw new Error('pg_rewind does not see yet that the histories have parted');
}
