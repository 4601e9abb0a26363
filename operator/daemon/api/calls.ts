import type * as z from 'zod';
import { ApiError } from '../../http-api/errors.ts';
import type { Answer } from '../../http-api/server.ts';
import type { Clock } from '../../kube/clock.ts';
import type { KubeClient } from '../../kube/client.ts';
import { RESOURCES } from '../../kube/resources.ts';
import { logReportName } from '../../model/host.ts';
import type { HostFacts } from '../facts.ts';
import type { LogsReport } from '../logs/report.ts';
import type { JobName, LoopState } from '../loop.ts';
import type { PortOwner } from '../ports/owners.ts';
import { MULTI_STATUS } from './document.ts';
import { hostView } from './host-view.ts';
import type { HostOutcome, Peers } from './peers.ts';
import type { CallName, portsQuery, standByQuery } from './routes.ts';
import { standByIp } from './standby-ip.ts';

export interface CallTools {
  /** Name of this host. */
  host: string;
  /** Release of this program. */
  version: string;
  client: Pick<KubeClient, 'get'>;
  clock: Pick<Clock, 'date'>;
  facts: Pick<HostFacts, 'all'>;
  loops: { readonly states: Readonly<Record<JobName, LoopState>>; now(name: JobName): Promise<LoopState> };
  peers: Pick<Peers, 'list' | 'ask'>;
  planLogs: (signal: AbortSignal) => Promise<LogsReport>;
  portOwners: (ports: readonly number[], signal: AbortSignal) => Promise<PortOwner[]>;
}

export interface CallRequest {
  requestId: string;
  /** As the schema of the route gives it. */
  query: unknown;
  /** Aborts when nobody waits for the answer any more. */
  signal: AbortSignal;
}

type Call = (tools: CallTools, request: CallRequest) => Promise<Answer>;

/** What each call does. */
export const CALLS: Readonly<Record<CallName, Call>> = {
  testConn: () => Promise.resolve(done({ message: 'connected' })),

  async getStandByIp({ client, clock }, { query }) {
    const { namespace, podName: name } = query as z.output<typeof standByQuery>;
    const pod = await client.get(RESOURCES.pods, { namespace, name });
    if (!pod) throw new ApiError(404, 'NotFound', `there is no pod ${name} in namespace ${namespace}`);
    const host = pod.spec?.nodeName;
    if (host === undefined) throw new ApiError(404, 'NotFound', `the pod ${name} has no host yet`);
    const node = await client.get(RESOURCES.nodes, { name: host });
    const address = node && standByIp(node, clock.date());
    if (address === undefined) {
      throw new ApiError(
        404,
        'NotFound',
        `no condition in force of the node ${host} tells an address: StandbyIP, NodeClientIP`,
      );
    }
    return done(address);
  },

  async requestCheckCoreVersion(tools, { requestId }) {
    const others = await tools.peers.list();
    const [own, ...answers] = await Promise.all([
      checkVersions(tools).then(
        message => ({ host: tools.host, isDone: true, message }),
        (error: unknown) => ({ host: tools.host, isDone: false, message: (error as Error).message }),
      ),
      tools.peers.ask(others, '/InnerCheckCoreVersion', requestId),
    ]);
    return told([own, ...answers.flat()]);
  },

  innerCheckCoreVersion: async tools => ({ ...done('OK'), message: await checkVersions(tools) }),

  host: tools => Promise.resolve(done(hostView(tools))),

  ports: async ({ portOwners }, { query, signal }) =>
    done(await portOwners((query as z.output<typeof portsQuery>).port, signal)),

  planLogs: async ({ planLogs }, { signal }) => done(await planLogs(signal)),

  cleanLogs({ loops, host }) {
    // It may take hours: the report tells how it goes.
    void loops.now('logs');
    return Promise.resolve({ status: 202, data: { report: logReportName(host) } });
  },
};

const done = (data: unknown): Answer => ({ status: 200, data });

/** @throws ApiError 503 when the run failed */
async function checkVersions({ loops }: CallTools): Promise<string> {
  const { failures, error, result } = await loops.now('versions');
  if (failures > 0) throw new ApiError(503, 'LoopFailed', error ?? 'the versions could not be checked');
  return result?.message ?? '';
}

function told(outcomes: readonly HostOutcome[]): Answer {
  const failed = outcomes.filter(({ isDone }) => !isDone).length;
  const hosts = outcomes.toSorted((a, b) => (a.host < b.host ? -1 : 1));
  if (failed === 0) return { status: 200, data: { hosts }, message: `done on ${hosts.length} hosts` };
  const message = `not done on ${failed} of ${hosts.length} hosts`;
  return { status: MULTI_STATUS, data: { hosts }, message };
}
