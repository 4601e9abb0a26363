import type { Settings } from './profile.ts';

/**
 * Settings whose values the RW writes to its log. A follower with less than is written there cannot hold what the RW does,
 * and refuses to start (xlogrecovery.c, CheckRequiredParameterValues).
 */
interface LoggedSetting {
  name: string;
  /** What pg_controldata calls it. */
  label: string;
  /** The engine's own. */
  default: number;
}

export const LOGGED_SETTINGS: readonly LoggedSetting[] = [
  { name: 'max_connections', label: 'max_connections setting', default: 100 },
  { name: 'max_worker_processes', label: 'max_worker_processes setting', default: 8 },
  { name: 'max_wal_senders', label: 'max_wal_senders setting', default: 10 },
  { name: 'max_prepared_transactions', label: 'max_prepared_xacts setting', default: 0 },
  { name: 'max_locks_per_transaction', label: 'max_locks_per_xact setting', default: 64 },
];

/** Values of {@link LOGGED_SETTINGS} by the control file: those of the RW where this member's log ends. */
export type LoggedValues = Readonly<Record<string, number>>;

/**
 * What a follower starts with instead of what is wanted: a lowered value waits until the RW runs with it and this member
 * has read so in the log. A restart of followers before the RW would leave them down otherwise.
 * @param wanted as the configuration has them
 */
export function liftedSettings(wanted: Settings, logged: LoggedValues): Settings {
  const tooLow = LOGGED_SETTINGS.filter(({ name, default: otherwise }) => {
    const needed = logged[name];
    // What is no number is the engine's to judge; what the log asks for will do.
    return needed !== undefined && !(integerOf(wanted[name], otherwise) >= needed);
  });
  return Object.fromEntries(tooLow.map(({ name }) => [name, String(logged[name])]));
}

/** Settings on the engine's command line. */
export const asArguments = (settings: Settings): string[] =>
  Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);

/** As the engine reads it (guc.c, parse_int): a leading zero means octal. */
function integerOf(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  return /^\s*0[0-7]+\s*$/.test(text) ? Number.parseInt(text, 8) : Number(text);
}
