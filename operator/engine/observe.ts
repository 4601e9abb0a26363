import { parseConninfo } from './conf.ts';
import type { EngineFacts } from './profile.ts';
import type { Role } from '../model/roles.ts';
import type { Session } from './sql.ts';

/** One statement, so that all of it is of one moment and costs one round trip. */
const OBSERVE = `
  SELECT f.in_recovery AS "inRecovery",
         current_setting('transaction_read_only') = 'off' AS writable,
         CASE WHEN f.in_recovery THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
              ELSE pg_current_wal_flush_lsn() END::text AS lsn,
         CASE WHEN f.in_recovery THEN coalesce(r.received_tli, (SELECT timeline_id FROM pg_control_checkpoint()))
              ELSE ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int END AS timeline,
         r.status AS "receiverStatus", r.conninfo AS "usedConninfo", r.slot_name AS "usedSlot",
         current_setting('primary_conninfo') AS "wantedConninfo", current_setting('primary_slot_name') AS "wantedSlot",
         array(SELECT name::text FROM pg_settings WHERE pending_restart ORDER BY name) AS "pendingRestart"
    FROM (SELECT pg_is_in_recovery() AS in_recovery) f LEFT JOIN pg_stat_wal_receiver r ON true`;

/** What the statement answers. */
export interface ObservedRow {
  inRecovery: boolean;
  writable: boolean;
  lsn: string | null;
  timeline: number | null;
  receiverStatus: string | null;
  usedConninfo: string | null;
  usedSlot: string | null;
  wantedConninfo: string;
  wantedSlot: string;
  pendingRestart: string[];
}

/** @param follower what the engine is when it is in recovery: SQL cannot tell a read-only member from a standby */
export async function observe(session: Session, follower: Role): Promise<EngineFacts> {
  const [row] = await session.query<ObservedRow>(OBSERVE);
  return toFacts(row!, follower);
}

export function toFacts(row: ObservedRow, follower: Role): EngineFacts {
  const facts: EngineFacts = {
    role: row.inRecovery ? follower : 'rw',
    acceptsWrites: !row.inRecovery && row.writable,
    pendingRestart: row.pendingRestart,
  };
  if (row.lsn !== null) facts.lsn = row.lsn;
  if (row.timeline !== null) facts.timeline = row.timeline;
  if (row.inRecovery) facts.streaming = isStreamingFromWanted(row);
  return facts;
}

/** A receiver may still hang on the RW of before a reload; only one with the address, port and slot of now counts. */
function isStreamingFromWanted(row: ObservedRow): boolean {
  if (row.receiverStatus !== 'streaming' || row.usedSlot !== row.wantedSlot) return false;
  const used = parseConninfo(row.usedConninfo ?? '');
  const wanted = parseConninfo(row.wantedConninfo);
  return ['host', 'hostaddr', 'port'].every(keyword => used.get(keyword) === wanted.get(keyword));
}
