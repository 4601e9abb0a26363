import { CONTROL_TIMELINE } from './observe.ts';
import type { EngineTools } from './options.ts';
import type { LogEnd } from './profile.ts';
import type { Session, SqlAddress } from './sql.ts';

/** The reload ends the receiver at once unless replay is held up; then it is ended by signal after this long, ms. */
const PATIENCE_MS = 50;
const PAUSE_MS = 5;

/**
 * A receiver that only just connects is not in pg_stat_wal_receiver yet, but its process is in pg_stat_activity. An
 * engine that has not streamed since its start tells nothing received: its log ends where replay waits for more.
 */
const LOOK = `
  SELECT (SELECT pid FROM pg_stat_activity WHERE backend_type = 'walreceiver') AS receiver,
         s.pid AS startup, s.wait_event AS "waitsFor", r.received_tli AS "receivedTimeline",
         pg_last_wal_receive_lsn() IS NOT NULL AS "hasReceived",
         greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::text AS lsn,
         ${CONTROL_TIMELINE} AS "controlTimeline"
    FROM (SELECT 1) one
    LEFT JOIN pg_stat_wal_receiver r ON true
    LEFT JOIN pg_stat_activity s ON s.backend_type = 'startup'`;

interface CutRow {
  receiver: number | null;
  startup: number | null;
  waitsFor: string | null;
  receivedTimeline: number | null;
  hasReceived: boolean;
  lsn: string | null;
  controlTimeline: number;
}

/** Wait events of a startup process that has read all the log it has. */
const AT_END = new Set(['RecoveryWalStream', 'RecoveryRetrieveRetryInterval']);

export interface Cut {
  tools: Pick<EngineTools, 'withSession' | 'signal' | 'sleep' | 'titleOf'>;
  address: SqlAddress;
  /** Takes the upstream out of the running engine's configuration, by this session; the password was taken away before. */
  uncouple: (session: Session) => Promise<void>;
  signal: AbortSignal;
}

/**
 * Cuts a follower from its upstream, waits until its receiver has ended, and tells where its log ends: from then on this
 * member acknowledges nothing to the former RW (protocol, Choice).
 * @throws the signal's reason
 */
export const cut = ({ tools, address, uncouple, signal }: Cut): Promise<LogEnd> =>
  tools.withSession(
    address,
    async session => {
      // Nobody tells it any more once the receiver has ended.
      let timeline = (await look(session)).receivedTimeline;
      await uncouple(session);
      for (let waitedMs = 0; ; waitedMs += PAUSE_MS) {
        const row = await look(session);
        timeline = row.receivedTimeline ?? timeline;
        if (row.receiver === null && row.lsn !== null && isAtEnd(row)) {
          return { lsn: row.lsn, timeline: timeline ?? (await replayTimeline(tools, row)) };
        }
        if (row.receiver !== null && waitedMs >= PATIENCE_MS) tools.signal(row.receiver, 'SIGTERM');
        await tools.sleep(PAUSE_MS, signal);
      }
    },
    { signal },
  );

async function look(session: Session): Promise<CutRow> {
  const [row] = await session.query<CutRow>(LOOK);
  return row!;
}

const isAtEnd = (row: CutRow): boolean => row.hasReceived || AT_END.has(row.waitsFor ?? '');

/** A startup process names the file that it reads; the first 8 digits are the timeline. */
async function replayTimeline(tools: Cut['tools'], row: CutRow): Promise<number> {
  const title = row.startup === null ? '' : await tools.titleOf(row.startup);
  const digits = /\b([0-9A-F]{8})[0-9A-F]{16}\b/.exec(title)?.[1];
  return digits === undefined ? row.controlTimeline : Number.parseInt(digits, 16);
}
