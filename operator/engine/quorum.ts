import { EngineError } from './errors.ts';
import type { EngineTools } from './options.ts';
import type { QuorumSetting } from './profile.ts';
import { isNotRunning, isPassing, type Session, type SqlAddress } from './sql.ts';

/** Value of synchronous_standby_names. */
export function formatQuorum({ members, k }: QuorumSetting): string {
  if (k === 0 || members.length === 0) return '';
  return `ANY ${k} (${members.map(name => `"${name.replaceAll('"', '""')}"`).join(', ')})`;
}

/** Nobody is called so: commits wait as long as this is in force. */
const NOBODY: QuorumSetting = { members: ['polardb-stack nobody'], k: 1 };

export interface QuorumInForce {
  tools: Pick<EngineTools, 'withSession' | 'openSession' | 'signal' | 'sleep'>;
  address: SqlAddress;
  setting: QuorumSetting;
  /** What is proven in force; absent: nothing. */
  former: QuorumSetting | undefined;
  /**
   * Puts a setting into the files of the running RW, and waits until each new session goes by it.
   * @param session one with the engine, which goes by it too; without it another one is opened
   */
  write: (setting: QuorumSetting, session?: Session) => Promise<void>;
}

/**
 * Lets commits of the running RW wait by this setting, and proves it.
 * @returns the flushed position since when it is in force
 * @throws EngineError `TimedOut`
 */
export async function putInForce({ tools, address, setting, former, write }: QuorumInForce): Promise<string> {
  const begins = setting.k > 0 && !former?.k;
  return inSession(tools, address, async (session, limit) => {
    await write(setting, session);
    const proof = { tools, address, session, limit };
    // What was staged on the follower is in force as soon as it is RW: one commit shows it while no member is there yet.
    if (begins && !(await isCommitHeld(proof))) {
      try {
        await write(NOBODY, session);
        await proveCommitsWait(proof);
      } finally {
        // Whatever came in between, to this session too: nobody shall go on waiting for nobody.
        await write(setting);
      }
    }
    return enforceQuorum(proof, { former: former?.members ?? [], setting });
  });
}

interface Proof {
  tools: Pick<EngineTools, 'openSession' | 'signal' | 'sleep'>;
  address: SqlAddress;
  /** Looks, and does not wait itself. */
  session: Session;
  limit: AbortSignal;
}

const PAUSE_MS = 3;
/** A walsender whose member does not acknowledge for so long is ended: one that is gone decides nothing either. */
const PATIENCE_MS = 300;
const LIMIT_MS = 10_000;

interface Change {
  /** Members of the setting before this one, where it is known. */
  former: readonly string[];
  setting: QuorumSetting;
}

interface Walsender {
  pid: number;
  name: string;
  hasFlushed: boolean;
}

/**
 * Proves that every process of the running RW that decides about waiting goes by `setting`, whose file is in place and
 * announced. A reload is per process (protocol, Changes of (E, k)): each walsender decides by its own copy whether an
 * acknowledgement releases a commit. So removed members' walsenders are ended, the others get the signal from here, and
 * a small record is written after it: a walsender that has heard its member acknowledge that record has read the file
 * before. That record also wakes those who wait by the former setting.
 * @returns the flushed position since when the setting is in force
 */
async function enforceQuorum({ tools, session, limit }: Proof, { former, setting }: Change): Promise<string> {
  const names = [...new Set([...former, ...setting.members])];
  const before = await walsenders(session, names, '0/0');
  for (const { pid } of before) tools.signal(pid, 'SIGHUP');
  const removed = before.filter(it => !setting.members.includes(it.name));
  for (const { pid } of removed) await session.query('SELECT pg_terminate_backend($1)', [pid]);
  const nudge = await writeRecord(session);
  const asked = new Set(before.map(it => it.pid));
  for (let waitedMs = 0; ; waitedMs += PAUSE_MS) {
    const left = (await walsenders(session, names, nudge)).filter(it => asked.has(it.pid) && !isProven(it, setting));
    if (left.length === 0) return nudge;
    if (waitedMs > PATIENCE_MS)
      for (const { pid } of left) await session.query('SELECT pg_terminate_backend($1)', [pid]);
    await tools.sleep(PAUSE_MS, limit);
  }
}

const isProven = (it: Walsender, { members }: QuorumSetting): boolean => it.hasFlushed && members.includes(it.name);

/** Those whose acknowledgement may count by the old or the new setting. */
async function walsenders(session: Session, names: readonly string[], lsn: string): Promise<Walsender[]> {
  return session.query<Walsender>(
    `SELECT pid, application_name AS name, coalesce(flush_lsn >= $2::pg_lsn, false) AS "hasFlushed"
       FROM pg_stat_replication WHERE application_name = ANY ($1::text[]) OR sync_priority > 0`,
    [names, lsn],
  );
}

/** A small record, flushed here without waiting for anybody. @returns its position */
async function writeRecord(session: Session): Promise<string> {
  await session.query('SET synchronous_commit = local');
  const [row] = await session.query<{ lsn: string }>(
    "SELECT pg_logical_emit_message(true, 'polardb-stack', '')::text AS lsn",
  );
  return row!.lsn;
}

/**
 * Whether commits wait at all is a flag that the checkpointer sets, at its leisure, and that nobody can read. So the
 * setting in force must be NOBODY: a commit is tried until one is seen to wait.
 */
async function proveCommitsWait(proof: Proof): Promise<void> {
  while (!(await isCommitHeld(proof))) await proof.tools.sleep(PAUSE_MS, proof.limit);
}

/** Is a commit seen to wait by the setting in force? One that a member releases at once says no. */
async function isCommitHeld({ tools, address, session: watcher }: Proof): Promise<boolean> {
  const session = await tools.openSession(address);
  try {
    const [row] = await session.query<{ pid: number }>(
      "SELECT pg_backend_pid() AS pid, set_config('synchronous_commit', 'on', false)",
    );
    const commit = session.query("SELECT pg_logical_emit_message(true, 'polardb-stack', '')").then(
      () => true,
      () => true,
    );
    do {
      if (await isWaiting(watcher, row!.pid)) {
        await watcher.query('SELECT pg_terminate_backend($1)', [row!.pid]);
        await commit;
        return true;
      }
    } while (!(await Promise.race([commit, Promise.resolve(false)])));
    return false;
  } finally {
    await session.close();
  }
}

async function isWaiting(watcher: Session, pid: number): Promise<boolean> {
  const [row] = await watcher.query<{ waits: boolean }>(
    "SELECT coalesce(wait_event = 'SyncRep', false) AS waits FROM pg_stat_activity WHERE pid = $1",
    [pid],
  );
  return row?.waits ?? false;
}

async function inSession<T>(
  tools: Pick<EngineTools, 'withSession' | 'sleep'>,
  address: SqlAddress,
  work: (session: Session, limit: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = AbortSignal.timeout(LIMIT_MS);
  for (;;) {
    try {
      return await tools.withSession(address, session => work(session, limit), { signal: limit });
    } catch (error) {
      if (limit.aborted)
        throw new EngineError('TimedOut', `the setting for commits is not proven in force within ${LIMIT_MS} ms`, {
          cause: error,
        });
      // A promotion may cut sessions.
      if (isNotRunning(error) || !isPassing(error)) throw error;
      await tools.sleep(PAUSE_MS);
    }
  }
}
