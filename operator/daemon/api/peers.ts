import { Agent, request } from 'node:https';
import type { KubeClient } from '../../kube/client.ts';
import { RESOURCES, type Pod } from '../../kube/resources.ts';
import type { ServerTls } from '../../http-api/server.ts';
import { BASE_PATH } from './document.ts';

/** A daemon of another host. */
export interface Peer {
  host: string;
  /** Absent: no daemon runs there. */
  address?: string;
}

/** What one host answered. */
export interface HostOutcome {
  host: string;
  isDone: boolean;
  message: string;
}

export interface PeerOptions {
  client: Pick<KubeClient, 'list' | 'listPage'>;
  /** Where the pods of the daemon are, and their labels. */
  namespace: string;
  podLabels: string;
  /** Name of this host. */
  host: string;
  port: number;
  /** Name that the certificate of every daemon has. */
  serverName: string;
  /** Our certificate now. */
  tls: () => ServerTls | undefined;
  /** One host may take as long, ms. */
  limitMs: number;
}

/** Hosts asked at the same time: each question is a run of a loop there, and a connection here. */
const AT_ONCE = 32;
const MAX_ANSWER_BYTES = 64 * 1024;
const NODES_AT_ONCE = 50;

/** The daemons of the other hosts. */
export class Peers {
  readonly #options: PeerOptions;

  constructor(options: PeerOptions) {
    this.#options = options;
  }

  /** All other hosts, in order of their names: who misses one must learn of it. @throws KubeError */
  async list(): Promise<Peer[]> {
    const { client, namespace, podLabels, host } = this.#options;
    const pods = await client.list(RESOURCES.pods, { namespace, labelSelector: podLabels });
    return peersOf(await this.#hosts(), pods).filter(peer => peer.host !== host);
  }

  /** A node is some 10 kB, mostly names of images: of many, a few at a time. */
  async #hosts(): Promise<string[]> {
    const { client } = this.#options;
    const names: string[] = [];
    for (let next: string | undefined; ;) {
      const page = await client.listPage(RESOURCES.nodes, { next, limit: NODES_AT_ONCE });
      names.push(...page.items.map(({ metadata }) => metadata.name));
      next = page.next;
      if (next === undefined) return names;
    }
  }

  /** Has every one of these do a call of this API without input. Never rejects: each host has its own outcome. */
  async ask(peers: readonly Peer[], path: string, requestId: string): Promise<HostOutcome[]> {
    const { tls, host, ...rest } = this.#options;
    const own = tls();
    const agent = new Agent({ ...own, servername: rest.serverName, minVersion: 'TLSv1.2', keepAlive: false });
    const outcomes: HostOutcome[] = [];
    const waiting = [...peers];
    const askNext = async (): Promise<void> => {
      for (let peer = waiting.shift(); peer; peer = waiting.shift()) {
        const outcome = await post(peer, {
          ...rest,
          agent,
          path: BASE_PATH + path,
          requestId,
          body: { HostName: host },
        })
          .then(message => ({ isDone: true, message }))
          .catch((error: unknown) => ({ isDone: false, message: (error as Error).message }));
        outcomes.push({ host: peer.host, ...outcome });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, askNext));
    agent.destroy();
    return outcomes.sort((a, b) => (a.host < b.host ? -1 : 1));
  }
}

/** One peer for each host, also where no daemon is: of several pods, during an update, the one that runs. */
export function peersOf(hosts: readonly string[], pods: readonly Pod[]): Peer[] {
  const byHost = new Map<string, Peer>(hosts.map(host => [host, { host }]));
  for (const { metadata, spec, status } of pods) {
    const host = spec?.nodeName;
    if (host === undefined) continue;
    const isRunning = status?.phase === 'Running' && metadata.deletionTimestamp === undefined;
    if (isRunning && status.podIP !== undefined) byHost.set(host, { host, address: status.podIP });
    else if (!byHost.has(host)) byHost.set(host, { host });
  }
  return [...byHost.values()].sort((a, b) => (a.host < b.host ? -1 : 1));
}

interface Post {
  agent: Agent;
  port: number;
  path: string;
  requestId: string;
  body: object;
  limitMs: number;
}

/** @returns what the host says to it @throws Error with the host's own words, or those of the connection */
async function post({ address }: Peer, { agent, port, path, requestId, body, limitMs }: Post): Promise<string> {
  if (address === undefined) throw new Error('no daemon runs there');
  const text = JSON.stringify(body);
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'x-request-id': requestId,
  };
  const signal = AbortSignal.timeout(limitMs);
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void =>
      reject(signal.aborted ? new Error(`no answer within ${limitMs} ms`, { cause: error }) : error);
    const outgoing = request({ host: address, port, path, method: 'POST', agent, headers, signal }, incoming => {
      readText(incoming).then(answer => {
        const { statusCode = 0 } = incoming;
        const { message } = parse(answer);
        if (statusCode === 200) resolve(message ?? '');
        else reject(new Error(`HTTP ${statusCode}: ${message ?? 'no reason given'}`));
      }, fail);
    });
    outgoing.once('error', fail);
    outgoing.end(text);
  });
}

async function readText(incoming: AsyncIterable<unknown>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error('the answer is none of a daemon');
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parse(text: string): { message?: string } {
  try {
    // `null` is JSON, too.
    return (JSON.parse(text) as { message?: string } | null) ?? {};
  } catch {
    return {};
  }
}
