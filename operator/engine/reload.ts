import { EngineError } from './errors.ts';
import type { EngineTools } from './options.ts';
import type { Session, SqlAddress } from './sql.ts';
import { isNotRunning, isPassing } from './sql.ts';

const LIMIT_MS = 10_000;
const PAUSE_MS = 3;

/**
 * Makes the running engine read its files again and waits until it has. Returns the settings that wait for a restart, or
 * undefined when no engine runs. An engine that is just starting is waited for, because it may have read the old files.
 * @throws EngineError `TimedOut` after 10 s
 */
export async function reload(tools: EngineTools, address: SqlAddress): Promise<string[] | undefined> {
  const limit = AbortSignal.timeout(LIMIT_MS);
  for (;;) {
    try {
      return await tools.withSession(address, session => reloadAndAsk(session, tools), { signal: limit });
    } catch (error) {
      if (isNotRunning(error)) return undefined;
      if (limit.aborted) throw new EngineError('TimedOut', `the engine did not reload within ${LIMIT_MS} ms`);
      if (!isPassing(error)) throw error;
      await tools.sleep(PAUSE_MS);
    }
  }
}

/**
 * As {@link reload}, for whoever has a session with the engine and does not ask what waits for a restart. pg_reload_conf
 * only sends a signal; the load time of this very session moves when it has taken the files in.
 * @throws DOMException `TimeoutError` after 10 s
 */
export async function reloadIn(session: Session, tools: Pick<EngineTools, 'sleep'>): Promise<void> {
  const limit = AbortSignal.timeout(LIMIT_MS);
  const before = await loadedAt(session);
  await session.query('SELECT pg_reload_conf()');
  while ((await loadedAt(session)) === before) await tools.sleep(PAUSE_MS, limit);
}

async function reloadAndAsk(session: Session, tools: EngineTools): Promise<string[]> {
  await reloadIn(session, tools);
  const rows = await session.query<{ name: string }>(
    'SELECT name FROM pg_settings WHERE pending_restart ORDER BY name',
  );
  return rows.map(row => row.name);
}

async function loadedAt(session: Session): Promise<string | undefined> {
  const [row] = await session.query<{ at: string }>('SELECT pg_conf_load_time()::text AS at');
  return row?.at;
}
