import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from './errors.ts';
import type { EngineTools } from './options.ts';
import { postmasterPid } from './processes.ts';
import type { Session, SqlAddress } from './sql.ts';
import { APPLICATION_NAME, isPassing } from './sql.ts';

const PAUSE_MS = 5;
/** Most promotions are over by then, ms. */
const PATIENCE_MS = 100;

/**
 * Ends the transactions of readers while replay waits for one of them. What is left to replay has to be, before the engine
 * is RW, and by its settings a follower may wait for its readers for half a minute, or for ever.
 */
const END_READERS = `
  SELECT pg_terminate_backend(pid) FROM pg_stat_activity
   WHERE backend_type = 'client backend' AND xact_start IS NOT NULL AND application_name <> '${APPLICATION_NAME}'
     AND EXISTS (SELECT 1 FROM pg_stat_activity
                  WHERE backend_type = 'startup'
                    AND (wait_event LIKE 'RecoveryConflict%' OR wait_event_type IN ('BufferPin', 'Lock')))`;

export interface Promotion {
  tools: EngineTools;
  address: SqlAddress;
  /** The engine's data directory, where it looks for the request. */
  directory: string;
  /** What has to be done while it still is a follower. */
  prepare: () => Promise<void>;
  signal: AbortSignal;
}

/**
 * Promotes by file and signal, as `pg_ctl promote` does, but without its polling (0.1 s; facts/engines.md 9), and without
 * pg_promote(), whose own session PolarDB cuts. Returns when the engine is out of recovery; asks an engine that is RW
 * already for nothing. One request per call: the engine keeps it. Readers that hold it up lose their sessions.
 * @throws the signal's reason
 */
export async function promoteByFile({ tools, address, directory, prepare, signal }: Promotion): Promise<void> {
  let asked = false;
  const watch = async (session: Session) => {
    for (let waitedMs = 0; await isInRecovery(session); waitedMs += PAUSE_MS) {
      if (!asked) {
        await prepare();
        await request(tools, directory);
      }
      asked = true;
      if (waitedMs > PATIENCE_MS && waitedMs % PATIENCE_MS === 0) await session.query(END_READERS);
      await tools.sleep(PAUSE_MS, signal);
    }
  };
  for (;;) {
    signal.throwIfAborted();
    try {
      await tools.withSession(address, watch, { signal });
      return;
    } catch (error) {
      if (signal.aborted || !isPassing(error)) throw error;
      await tools.sleep(PAUSE_MS, signal);
    }
  }
}

async function isInRecovery(session: Session): Promise<boolean> {
  const [row] = await session.query<{ recovery: boolean }>('SELECT pg_is_in_recovery() AS recovery');
  return row?.recovery ?? true;
}

async function request(tools: EngineTools, directory: string): Promise<void> {
  const pid = await postmasterPid(directory, tools.processesIn);
  if (pid === undefined) throw new EngineError('NotRunning', `no postmaster works on ${directory}`);
  // The engine removes the file itself; a left one is ignored by the next start.
  await writeFile(join(directory, 'promote'), '', { mode: 0o644 });
  tools.signal(pid, 'SIGUSR1');
}
