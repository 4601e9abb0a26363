import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FIRST_STATEMENTS, SUPERUSER } from '../access.ts';
import type { OsUser, RunProgram } from '../programs.ts';

export interface NewDatabase {
  run: RunProgram;
  binDir: string;
  /** Empty directory of mode 700. */
  directory: string;
  major: number;
  user?: OsUser;
  /** Beyond those that every engine gets. */
  extraArgs?: readonly string[];
}

const LIMIT_MS = 600_000;

/** From 17 on PostgreSQL brings C.UTF-8 itself, so that sorting never changes with the image's C library. */
const localeArgs = (major: number): string[] =>
  major >= 17 ? ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : ['--locale=C.UTF-8'];

/** Makes a database system with checksums and the first roles. initdb syncs its files; single-user mode ends with a checkpoint. */
export async function createDatabaseSystem(request: NewDatabase): Promise<void> {
  const { run, binDir, directory, user } = request;
  await run({
    program: join(binDir, 'initdb'),
    args: [
      `--pgdata=${directory}`,
      `--username=${SUPERUSER}`,
      '--encoding=UTF8',
      ...localeArgs(request.major),
      '--data-checksums',
      '--auth-local=peer',
      '--auth-host=scram-sha-256',
      '--no-instructions',
      ...(request.extraArgs ?? []),
    ],
    timeoutMs: LIMIT_MS,
    user,
  });
  await run({
    program: join(binDir, 'postgres'),
    args: ['--single', '-j', '-D', directory, '-c', 'exit_on_error=on', '-c', 'log_checkpoints=off', 'postgres'],
    stdin: FIRST_STATEMENTS,
    timeoutMs: LIMIT_MS,
    user,
  });
  // The operator writes its own; left behind, these would look as if they counted.
  for (const name of ['postgresql.conf', 'pg_hba.conf', 'pg_ident.conf']) {
    await rm(join(directory, name), { force: true });
  }
}
