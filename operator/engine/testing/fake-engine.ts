import { chown, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { EngineTools } from '../options.ts';
import type { OsUser, ProgramRun } from '../programs.ts';
import { ProgramError } from '../programs.ts';
import type { Session } from '../sql.ts';

/** Answers of the fake engine's SQL: what a statement that contains `match` returns. */
export interface SqlAnswer {
  match: string;
  rows: () => unknown[];
}

/**
 * Programs of PolarDB that do to files what facts/engines.md says of them, and record how they were called. `fail` is the
 * beginning of a command line that ends half way, once.
 */
export class FakeEngine {
  readonly runs: string[][] = [];
  readonly statements: string[] = [];
  readonly signals: { pid: number; signal: string }[] = [];
  answers: SqlAnswer[] = [];
  fail: string | undefined;

  readonly tools: EngineTools = {
    run: async run => {
      const name = basename(run.program);
      this.runs.push([name, ...run.args]);
      const stdout = await this.#program(name, run);
      if (this.fail === undefined || ![name, ...run.args].join(' ').startsWith(this.fail))
        return { stdout, stderr: '' };
      this.fail = undefined;
      throw new ProgramError(run.program, 'was ended by SIGKILL', { killedBy: 'SIGKILL' });
    },
    withSession: (_address, use) => use(this.#session),
    openSession: () =>
      Promise.resolve({ ...this.#session, repeat: text => this.#session.query(text), close: () => Promise.resolve() }),
    processesIn: () => Promise.resolve([]),
    titleOf: () => Promise.resolve(''),
    signal: (pid, signal) => this.signals.push({ pid, signal }),
    sleep: () => Promise.resolve(),
    osUserName: () => 'postgres',
  };

  readonly #session: Session = {
    query: <Row>(text: string) => {
      this.statements.push(text);
      return Promise.resolve((this.answers.find(({ match }) => text.includes(match))?.rows() ?? []) as Row[]);
    },
  };

  /** Arguments of each call of a program. */
  callsOf(name: string): string[][] {
    return this.runs.filter(([program]) => program === name).map(([, ...args]) => args);
  }

  async #program(name: string, run: ProgramRun): Promise<string> {
    const argument = (option: string) => run.args.find(arg => arg.startsWith(`--${option}=`))?.slice(option.length + 3);
    if (name === 'initdb' && !run.args.includes('--sync-only')) await fillLikeInitdb(argument('pgdata')!);
    if (name === 'polar-initdb.sh') await likePolarInitdb(run.args);
    if (name === 'pg_basebackup') {
      await fillLikeInitdb(argument('pgdata')!);
      run.onStderr?.('    512/1024 kB (50%), 0/1 tablespace');
      await moveDurable(argument('pgdata')!, argument('polardata')!);
    }
    if (name === 'pg_controldata') return likeControlData(run.args);
    return name === 'postgres' && run.args[0] === '--version' ? 'postgres (PostgreSQL) 15.8\n' : '';
  }
}

const CONTROL_DATA = `pg_control version number:            1300
Database system identifier:           7439999999999999999
Latest checkpoint's TimeLineID:       1
Latest checkpoint's PrevTimeLineID:   1
`;

/** Asked for a directory with a configuration, PolarDB's would look elsewhere. */
async function likeControlData([, directory = '']: readonly string[]): Promise<string> {
  await readFile(join(directory, 'global/pg_control'));
  return CONTROL_DATA;
}

async function fillLikeInitdb(directory: string): Promise<void> {
  await mkdir(join(directory, 'global'));
  for (const file of ['global/pg_control', 'postgresql.conf', 'pg_hba.conf', 'pg_ident.conf']) {
    await writeFile(join(directory, file), 'made by initdb');
  }
  await writeFile(join(directory, 'PG_VERSION'), '15\n');
}

const moveDurable = (from: string, to: string): Promise<void> => rename(join(from, 'global'), join(to, 'global'));

/** `<own>/ <shared>/ primary|replica localfs`, with the refusals of the real one. */
async function likePolarInitdb([own = '', shared = '', kind, mode]: readonly string[]): Promise<void> {
  if (![own, shared].every(path => path.startsWith('/'))) throw new Error('must be the full path');
  if (![own, shared].every(path => path.endsWith('/'))) throw new Error('must end with /');
  if (mode !== 'localfs') throw new Error('not a local file system');
  if (kind === 'primary') {
    if ((await readdir(shared)).length > 0) throw new Error('dir not empty');
    await readFile(join(own, 'postgresql.conf'));
    return moveDurable(own, shared);
  }
  if ((await readFile(join(own, 'postgresql.conf')).catch(() => undefined)) !== undefined)
    throw new Error('conf exists');
  await readFile(join(shared, 'global/pg_control'));
  await writeFile(join(own, 'PG_VERSION'), '15\n');
}

/** What the loss of an emptyDir does. */
export async function lose(directory: string, owner?: OsUser): Promise<void> {
  await rm(directory, { recursive: true });
  await mkdir(directory);
  if (owner) await chown(directory, owner.uid, owner.gid);
}
