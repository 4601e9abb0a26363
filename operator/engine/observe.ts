import { parseConninfo } from './conf.ts';
import type { EngineFacts, EngineLook } from './profile.ts';
import type { Role } from '../model/roles.ts';
import type { Session } from './sql.ts';

/** SQL: the newest timeline that a follower's own control file knows. Its last checkpoint may be of an older one for minutes. */
export const CONTROL_TIMELINE = `greatest((SELECT timeline_id FROM pg_control_checkpoint()),
                  (SELECT min_recovery_end_timeline FROM pg_control_recovery()))`;

const COLUMNS = `
         f.in_recovery AS "inRecovery",
         current_setting('transaction_read_only') = 'off' AS writable,
         CASE WHEN f.in_recovery THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
              ELSE pg_current_wal_flush_lsn() END::text AS lsn,
         CASE WHEN f.in_recovery THEN coalesce(r.received_tli, ${CONTROL_TIMELINE})
              ELSE ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int END AS timeline,
         r.status AS "receiverStatus", r.conninfo AS "usedConninfo", r.slot_name AS "usedSlot",
         current_setting('primary_conninfo') AS "wantedConninfo", current_setting('primary_slot_name') AS "wantedSlot"`;

const SOURCE = `
    FROM (SELECT pg_is_in_recovery() AS in_recovery) f LEFT JOIN pg_stat_wal_receiver r ON true`;

/** One statement, so that all of it is of one moment and costs one round trip. */
const OBSERVE = `SELECT ${COLUMNS},
         array(SELECT name::text FROM pg_settings WHERE pending_restart ORDER BY name) AS "pendingRestart" ${SOURCE}`;

/** What is looked at twice a second: without the list of all settings, with those that stream from here. */
export const LOOK = `SELECT ${COLUMNS},
         (SELECT json_agg(json_build_object('name', application_name, 'flushedLsn', flush_lsn::text, 'state', state))
            FROM pg_stat_replication WHERE state <> 'backup') AS senders ${SOURCE}`;

/** What both statements answer. */
export interface LookedRow {
  inRecovery: boolean;
  writable: boolean;
  lsn: string | null;
  timeline: number | null;
  receiverStatus: string | null;
  usedConninfo: string | null;
  usedSlot: string | null;
  wantedConninfo: string;
  wantedSlot: string;
}

export interface ObservedRow extends LookedRow {
  pendingRestart: string[];
}

export interface LookRow extends LookedRow {
  senders: { name: string; flushedLsn: string | null; state: string }[] | null;
}

/** @param follower what the engine is when it is in recovery: SQL cannot tell a read-only member from a standby */
export async function observe(session: Session, follower: Role): Promise<EngineFacts> {
  const [row] = await session.query<ObservedRow>(OBSERVE);
  return toFacts(row!, follower);
}

export const toFacts = (row: ObservedRow, follower: Role): EngineFacts => ({
  ...common(row, follower),
  pendingRestart: row.pendingRestart,
});

export function toLook(row: LookRow, follower: Role): EngineLook {
  const look: EngineLook = common(row, follower);
  if (row.inRecovery) {
    const upstreamAddress = parseConninfo(row.usedConninfo ?? '').get('hostaddr');
    return upstreamAddress === undefined ? look : { ...look, upstreamAddress };
  }
  const senders = (row.senders ?? []).map(({ name, flushedLsn, state }) => ({
    name,
    state,
    ...(flushedLsn !== null && { flushedLsn }),
  }));
  return { ...look, senders };
}

function common(row: LookedRow, follower: Role): Omit<EngineFacts, 'pendingRestart'> {
  return {
    role: row.inRecovery ? follower : 'rw',
    acceptsWrites: !row.inRecovery && row.writable,
    ...(row.lsn !== null && { lsn: row.lsn }),
    ...(row.timeline !== null && { timeline: row.timeline }),
    ...(row.inRecovery && { streaming: isStreamingFromWanted(row) }),
  };
}

/** A receiver may still hang on the RW of before a reload; only one with the address, port and slot of now counts. */
function isStreamingFromWanted(row: LookedRow): boolean {
  if (row.receiverStatus !== 'streaming' || row.usedSlot !== row.wantedSlot) return false;
  const used = parseConninfo(row.usedConninfo ?? '');
  const wanted = parseConninfo(row.wantedConninfo);
  return ['host', 'hostaddr', 'port'].every(keyword => used.get(keyword) === wanted.get(keyword));
}
