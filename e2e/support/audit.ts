import { open, stat } from 'node:fs/promises';
import { eventually } from './eventually.ts';

/** A request that the API server has finished, of its audit log (audit.k8s.io/v1, level Metadata). */
export interface AuditEvent {
  auditID: string;
  stage: string;
  verb: string;
  requestURI: string;
  user: { username: string };
  sourceIPs?: string[];
  userAgent?: string;
  objectRef?: {
    resource?: string;
    namespace?: string;
    name?: string;
    apiGroup?: string;
    subresource?: string;
  };
  responseStatus?: { code?: number; reason?: string; message?: string };
  annotations?: Record<string, string>;
  requestReceivedTimestamp: string;
}

/** A place in the log: what was written before it does not count. */
export async function auditMark(log: string): Promise<number> {
  return (await stat(log)).size;
}

/** Whole events since a mark. */
export async function auditSince(log: string, mark: number): Promise<AuditEvent[]> {
  const file = await open(log);
  try {
    const { size } = await file.stat();
    const { buffer } = await file.read({ buffer: Buffer.alloc(Math.max(0, size - mark)), position: mark });
    const lines = buffer.toString().split('\n').slice(0, -1);
    return lines.map(line => JSON.parse(line) as AuditEvent);
  } finally {
    await file.close();
  }
}

/** Waits until the log has the event, and with it all that was finished before. */
export async function auditHas(log: string, mark: number, is: (event: AuditEvent) => boolean): Promise<AuditEvent> {
  return await eventually('the audit log has the event', async () => (await auditSince(log, mark)).find(is));
}

/** `<namespace>:<name>` of a service account; undefined for other users. */
export function serviceAccountOf({ user }: AuditEvent): string | undefined {
  return /^system:serviceaccount:(.+)$/.exec(user.username)?.[1];
}
