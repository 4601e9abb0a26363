import type { CheckpointResult } from '../../agent-api/state.ts';
import type { Sql } from './accounts.ts';

/** A checkpoint at once; when it takes longer than `waitMs` the answer does not wait, and the engine goes on with it. */
export async function checkpoint(
  sql: Sql,
  waitMs: number,
  limit: (ms: number) => Promise<void>,
): Promise<CheckpointResult> {
  const done = sql(session => session.query('CHECKPOINT')).then(() => true);
  const tooLong = limit(waitMs).then(() => false);
  // Its failure after the answer is told by the engine's log.
  done.catch(() => undefined);
  return { isDone: await Promise.race([done, tooLong]) };
}
