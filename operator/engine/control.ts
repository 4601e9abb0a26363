import { LOGGED_SETTINGS, type LoggedValues } from './recovery-limits.ts';

/** What we read of pg_controldata; a field it does not print is absent. */
export interface ControlData {
  systemId?: string;
  timeline?: number;
  /** Up to which a follower has to recover before it is consistent; 0 of what is no follower. */
  minRecoveryTimeline?: number;
  /** `in production`, `shut down`, `in crash recovery`, `in archive recovery`, `shut down in recovery` ... */
  clusterState?: string;
  logged?: LoggedValues;
}

/**
 * Was the engine in recovery as a follower when it ended? One that was killed in its promotion, when the end of recovery was
 * on disk already, was not: its data is on the timeline that it opened, and boots like any crashed RW's.
 * @param opening timeline of the promotion that it had been asked for
 */
export function isFollowers({ clusterState, timeline, minRecoveryTimeline }: ControlData, opening?: number): boolean {
  if (clusterState === 'in crash recovery' || !clusterState?.endsWith('recovery')) return false;
  return opening === undefined || (timeline !== opening && minRecoveryTimeline !== opening);
}

/** Has the engine stopped in order? Else it recovers before anything else. */
export const isClean = ({ clusterState }: ControlData): boolean => clusterState?.startsWith('shut down') ?? false;

/** Reads the output of pg_controldata (untranslated, as `programEnv` makes it). */
export function parseControlData(text: string): ControlData {
  const field = (label: string) => new RegExp(`^${label}:\\s+(.+)$`, 'm').exec(text)?.[1];
  const number = (label: string) => {
    const text = field(label);
    return text === undefined ? undefined : Number(text);
  };
  const logged = LOGGED_SETTINGS.flatMap(({ name, label }) => {
    const value = number(label);
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    systemId: field('Database system identifier'),
    timeline: number("Latest checkpoint's TimeLineID"),
    minRecoveryTimeline: number("Min recovery ending loc's timeline"),
    clusterState: field('Database cluster state'),
    logged: Object.fromEntries(logged),
  };
}
