/** A row whose commit the server acknowledged. Times are ms since 1970, on the clock of this machine. */
export interface Acknowledged {
  kind: 'acknowledged';
  n: number;
  sentAt: number;
  at: number;
  /** Address of the server that did it. */
  server: string;
}

/** Something that did not come to an answer, or to a bad one. */
export interface Failed {
  kind: 'failed';
  /** `cut`: the connection ended under the statement, which says nothing about the server being able to serve. */
  what: 'connect' | 'statement' | 'cut';
  /** The row; it may be in the table or not. */
  n?: number;
  sentAt: number;
  at: number;
  /** SQLSTATE, or the system's word. */
  code: string;
  message: string;
}

/** What a writer tells, in the order of its happening. */
export type LoadEvent = { kind: 'connected'; sentAt: number; at: number } | Acknowledged | Failed;

/** A time without an acknowledgement. */
export interface Gap {
  /** The last acknowledgement before it. */
  from: number;
  /** The first one after it. */
  to: number;
  ms: number;
}

/** Longer than any pause of a healthy writer that sends a row every 10 ms on a busy machine. */
const GAP_MS = 150;

export const acknowledged = (events: readonly LoadEvent[]): Acknowledged[] =>
  events.filter(event => event.kind === 'acknowledged');

export const failures = (events: readonly LoadEvent[]): Failed[] => events.filter(event => event.kind === 'failed');

/** Pauses between acknowledgements, in order. */
export function gaps(events: readonly LoadEvent[], longerThanMs = GAP_MS): Gap[] {
  const times = acknowledged(events).map(({ at }) => at);
  return times
    .slice(1)
    .map((to, i) => ({ from: times[i]!, to, ms: to - times[i]! }))
    .filter(({ ms }) => ms > longerThanMs);
}

/** The longest pause between acknowledgements, ms. */
export const longestGapMs = (events: readonly LoadEvent[]): number =>
  Math.max(0, ...gaps(events, 0).map(({ ms }) => ms));

/** A server and the time in which it acknowledged rows. */
export interface Span {
  server: string;
  first: number;
  last: number;
}

/** Who acknowledged, in order: a server that comes twice with another between has a span for each time. */
export function spans(events: readonly LoadEvent[]): Span[] {
  const found: Span[] = [];
  for (const { server, at } of acknowledged(events)) {
    const last = found.at(-1);
    if (last?.server === server) last.last = at;
    else found.push({ server, first: at, last: at });
  }
  return found;
}

/** What a table holds of a writer's rows. */
export interface Verdict {
  acknowledged: number;
  /** Acknowledged rows that the table has not: there must be none. */
  lost: number[];
  /** Rows without an acknowledgement that are there all the same, which a writer has to expect. */
  unexpected: number;
}

export function compare(events: readonly LoadEvent[], table: Iterable<number>): Verdict {
  const rows = new Set(table);
  const sure = acknowledged(events).map(({ n }) => n);
  const lost = sure.filter(n => !rows.has(n));
  return { acknowledged: sure.length, lost, unexpected: rows.size - (sure.length - lost.length) };
}
