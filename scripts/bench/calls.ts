import { serviceAccountOf, type AuditEvent } from '../../e2e/support/audit.ts';

/** Calls of our own parts in a piece of the audit log, by what they do to an idle cluster. */
export interface Calls {
  reads: string[];
  writes: string[];
  /** Renewals of Leases, which an idle stack may do. */
  renewals: number;
}

/** @param isOurs of a service account, `<namespace>:<name>` */
export function callsOf(events: readonly AuditEvent[], isOurs: (account: string) => boolean): Calls {
  const calls: Calls = { reads: [], writes: [], renewals: 0 };
  for (const event of events) {
    const account = serviceAccountOf(event);
    if (account === undefined || !isOurs(account) || isWatch(event)) continue;
    const text = `${account} ${event.verb} ${event.requestURI}`;
    if (isRenewal(event)) calls.renewals++;
    else if (['get', 'list'].includes(event.verb)) calls.reads.push(text);
    else calls.writes.push(text);
  }
  return calls;
}

/** A watch is opened anew every few minutes; it reads nothing that did not change. */
const isWatch = ({ verb }: AuditEvent): boolean => verb === 'watch';

/** The Lease of the leader, which every replica also looks at. */
const isRenewal = ({ objectRef }: AuditEvent): boolean =>
  objectRef?.resource === 'leases' && objectRef.namespace === 'polardb-system';
