import { readFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { AgentError } from '../agent-api/errors.ts';
import { parseRecord, type LeaseObject } from '../ha/lease.ts';
import type { GroupRecord } from '../ha/record.ts';
import { messageOf } from './log.ts';

/** Reads the record directly, past every cache. @throws AgentError `RecordUnreachable`; undefined when there is none */
export type ReadRecord = () => Promise<GroupRecord | undefined>;

export interface RecordReaderOptions {
  namespace: string;
  leaseName: string;
  /** Limit of one read, ms. */
  limitMs: number;
  /** API server. */
  host: string;
  port: number;
  /** Directory of the service account's token and ca.crt; both are read anew each time, since both are rotated. */
  credentials: string;
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
const MAX_LEASE_BYTES = 1024 * 1024;

/** Where a pod finds its API server and credentials. @throws Error outside a pod */
export function inPod(env: NodeJS.ProcessEnv): Pick<RecordReaderOptions, 'host' | 'port' | 'credentials'> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  if (!host || !port) throw new Error('KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set: not in a pod');
  return { host, port: Number(port), credentials: SERVICE_ACCOUNT };
}

/** A whole Kubernetes client would take more memory than the rest of the agent; one GET needs none. */
export function recordReader(options: RecordReaderOptions): ReadRecord {
  return async () => {
    try {
      const answer = await getLease(options);
      if (answer.status === 404) return undefined;
      if (answer.status !== 200) throw new Error(`the API server answers ${answer.status}`);
      return parseRecord(JSON.parse(answer.text) as LeaseObject);
    } catch (error) {
      const { namespace, leaseName } = options;
      throw new AgentError('RecordUnreachable', `record ${namespace}/${leaseName}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  };
}

interface Answer {
  status: number;
  text: string;
}

async function getLease({
  namespace,
  leaseName,
  limitMs,
  host,
  port,
  credentials,
}: RecordReaderOptions): Promise<Answer> {
  const signal = AbortSignal.timeout(limitMs);
  const [token, ca] = await Promise.all([
    readFile(join(credentials, 'token'), 'utf8'),
    readFile(join(credentials, 'ca.crt'), 'utf8'),
  ]);
  const path = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases/${encodeURIComponent(leaseName)}`;
  const headers = { authorization: `Bearer ${token.trim()}`, accept: 'application/json' };
  return new Promise((resolve, reject) => {
    // No connection is kept: a read is rare, and a broken kept connection would cost it its limit.
    httpsRequest({ host, port, path, headers, ca, signal, agent: false }, incoming => {
      readText(incoming).then(text => resolve({ status: incoming.statusCode ?? 0, text }), reject);
    })
      .on('error', reject)
      .end();
  });
}

async function readText(incoming: IncomingMessage): Promise<string> {
  let text = '';
  incoming.setEncoding('utf8');
  for await (const chunk of incoming as AsyncIterable<string>) {
    text += chunk;
    if (text.length > MAX_LEASE_BYTES) throw new Error('the answer is too long for a Lease');
  }
  return text;
}
