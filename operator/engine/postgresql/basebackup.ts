import { formatConninfo, parseConninfo } from '../conf.ts';
import type { Report, Upstream } from '../profile.ts';
import { upstreamConninfo } from '../upstream.ts';

/**
 * Arguments of pg_basebackup: a fast checkpoint (a spread one takes minutes), WAL streamed beside the data and kept by
 * the member's slot until it streams itself, full verification of the RW's certificate, password by file.
 */
export function baseBackupArgs(upstream: Upstream, caFile: string, directory: string): string[] {
  const conninfo = Object.fromEntries(parseConninfo(upstreamConninfo(upstream, caFile)));
  return [
    `--pgdata=${directory}`,
    `--dbname=${formatConninfo({ ...conninfo, application_name: BACKUP_NAME })}`,
    `--slot=${upstream.slot}`,
    '--wal-method=stream',
    '--checkpoint=fast',
    '--progress',
    '--verbose',
    '--no-password',
  ];
}

/** A member that is only being filled must not look like one that streams. */
const BACKUP_NAME = 'polardb-stack base backup';

const KIB = 1024;

/** Turns what pg_basebackup says on standard error into progress: waiting for the checkpoint, copying, syncing. */
export function baseBackupProgress(report: Report): (line: string) => void {
  return line => {
    const copied = /^\s*(\d+)\/(\d+) kB/.exec(line);
    if (copied) report({ phase: 'Copying', done: Number(copied[1]) * KIB, total: Number(copied[2]) * KIB });
    else if (line.includes('waiting for checkpoint')) report({ phase: 'WaitingForCheckpoint' });
    else if (line.includes('syncing data to disk')) report({ phase: 'Syncing' });
  };
}
