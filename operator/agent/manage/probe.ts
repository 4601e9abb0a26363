import type { VerifyResult } from '../../agent-api/state.ts';
import { PROBE, PROBE_TABLE } from '../../engine/access.ts';
import { errorCode, type SqlAddress, type WithSession } from '../../engine/sql.ts';
import { messageOf } from '../log.ts';

/** A write that takes longer is no answer for whoever waits to publish. */
const LIMIT_MS = 1_000;
const SQLSTATE = /^[0-9A-Z]{5}$/;

/**
 * Does the engine take a write? As the probe role, which waits for no follower: dead followers must not look like a dead RW
 * (protocol, Moves). What its answer means is for the caller to judge: a full disk (53100) is no failure of the engine.
 */
export async function probe(address: SqlAddress, withSession: WithSession): Promise<VerifyResult> {
  const began = performance.now();
  const tookMs = (): number => Math.round(performance.now() - began);
  try {
    await withSession(
      { ...address, user: PROBE },
      session => session.query(`UPDATE ${PROBE_TABLE} SET at = now() WHERE id = 1`),
      { connectMs: LIMIT_MS, statementMs: LIMIT_MS },
    );
    return { isWritten: true, tookMs: tookMs() };
  } catch (error) {
    const code = errorCode(error);
    const sqlState = code !== undefined && SQLSTATE.test(code) ? { sqlState: code } : {};
    return { isWritten: false, ...sqlState, message: messageOf(error), tookMs: tookMs() };
  }
}
