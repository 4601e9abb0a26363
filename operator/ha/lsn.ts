/** Position in the write-ahead log, in bytes. Compared only on one timeline, or together with it. */
export type Lsn = bigint;

const FORM = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/;

/** @returns undefined when the text is not PostgreSQL's form, such as `0/3000148` */
export function parseLsn(text: string): Lsn | undefined {
  const [, high, low] = FORM.exec(text) ?? [];
  return high === undefined || low === undefined ? undefined : (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

/** How far a log has come. A later timeline was branched off by a later promotion. */
export interface LogPosition {
  timeline: number;
  /** Flushed, so that it survives a crash. */
  lsn: Lsn;
}

/** @returns negative when `a` is behind `b`, 0 when equal, positive when ahead */
export function comparePosition(a: LogPosition, b: LogPosition): number {
  if (a.timeline !== b.timeline) return a.timeline - b.timeline;
  return a.lsn === b.lsn ? 0 : a.lsn < b.lsn ? -1 : 1;
}
