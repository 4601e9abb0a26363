/** What we read of pg_controldata; a field it does not print is absent. */
export interface ControlData {
  systemId?: string;
  timeline?: number;
  /** `in production`, `shut down`, `in crash recovery`, `in archive recovery`, `shut down in recovery` ... */
  clusterState?: string;
}

/** Reads the output of pg_controldata (untranslated, as `programEnv` makes it). */
export function parseControlData(text: string): ControlData {
  const field = (label: string) => new RegExp(`^${label}:\\s+(.+)$`, 'm').exec(text)?.[1];
  const timeline = field("Latest checkpoint's TimeLineID");
  return {
    systemId: field('Database system identifier'),
    timeline: timeline === undefined ? undefined : Number(timeline),
    clusterState: field('Database cluster state'),
  };
}
