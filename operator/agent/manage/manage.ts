import type { EngineProfile } from '../../engine/profile.ts';
import type { WithSession } from '../../engine/sql.ts';
import type { Manage } from '../agent.ts';
import type { Clock } from '../clock.ts';
import { ensureAccount, type Sql } from './accounts.ts';
import { checkpoint } from './checkpoint.ts';
import { ensureDatabase } from './databases.ts';
import { probe } from './probe.ts';
import { ensureSlots } from './slots.ts';

/** CREATE DATABASE copies a template and may have to wait for a checkpoint. */
const STATEMENT_MS = 30_000;
/** Of a large, busy engine. */
const CHECKPOINT_MS = 600_000;

/** Accounts, databases and slots of the engine that the profile drives. */
export function manageBySql(profile: EngineProfile, withSession: WithSession, clock: Clock): Manage {
  const until = (signal?: AbortSignal): Sql => {
    const options = { statementMs: STATEMENT_MS, ...(signal && { signal }) };
    return use => withSession(profile.sql, use, options);
  };
  const sql = until();
  const checkpointSql: Sql = use => withSession(profile.sql, use, { statementMs: CHECKPOINT_MS });
  return {
    account: request => ensureAccount(sql, request),
    database: request => ensureDatabase(sql, request),
    slots: (names, signal) => ensureSlots(until(signal), names),
    checkpoint: waitMs =>
      checkpoint(checkpointSql, waitMs, ms => new Promise(resolve => void clock.after(ms, resolve))),
    verify: () => probe(profile.sql, withSession),
  };
}
