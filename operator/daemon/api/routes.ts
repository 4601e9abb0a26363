import * as z from 'zod';
import type { Permission } from '../../http-api/authorize.ts';
import type { ApiRoute } from '../../http-api/route.ts';
import { API_GROUP } from '../../model/names.ts';

export type CallName =
  | 'testConn'
  | 'getStandByIp'
  | 'requestCheckCoreVersion'
  | 'innerCheckCoreVersion'
  | 'host'
  | 'ports'
  | 'planLogs'
  | 'cleanLogs';

/** One call of the API. */
export interface Route extends ApiRoute {
  call: CallName;
  /** Absent: whoever the API server knows may call. */
  needs?: (host: string, query: unknown) => Permission;
  /** Daemons of other hosts may call it, by their certificate. */
  isForPeers?: boolean;
}

const DNS_NAME = z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'is no name of a Kubernetes object');

export const standByQuery = z.object({
  namespace: DNS_NAME.default('default'),
  podName: DNS_NAME.describe('Pod whose host is meant.'),
  clusterId: z.string().max(253).optional().describe('Not used, as in the original.'),
  type: z.string().max(253).optional().describe('Not used, as in the original.'),
});

export const portsQuery = z.object({
  port: z
    .string()
    .regex(/^\d{1,5}(,\d{1,5}){0,63}$/, 'must be port numbers, separated by commas, 64 at most')
    .transform(text => text.split(',').map(Number))
    .describe('Port numbers, separated by commas.'),
});

/** RBAC resource that stands for a host's daemon; no such objects exist, rules name it all the same. */
const onHost = (verb: Permission['verb'], subresource?: string): NonNullable<Route['needs']> => {
  return name => ({
    group: API_GROUP,
    resource: 'hosts',
    verb,
    name,
    ...(subresource !== undefined && { subresource }),
  });
};

const DONE = { 200: 'Done.' };

/** The calls of the original (facts: daemon, A10), and those that tell more of one host. */
export const ROUTES: readonly Route[] = [
  {
    call: 'testConn',
    method: 'GET',
    path: '/TestConn',
    summary: 'Does this daemon answer?',
    success: DONE,
  },
  {
    call: 'getStandByIp',
    method: 'GET',
    path: '/GetStandByIp',
    summary: 'Address that clients reach the host of a pod by: its condition StandbyIP, else NodeClientIP.',
    needs: (_host, query) => {
      const { namespace, podName: name } = query as z.output<typeof standByQuery>;
      return { group: '', resource: 'pods', verb: 'get', namespace, name };
    },
    query: standByQuery,
    success: DONE,
  },
  {
    call: 'requestCheckCoreVersion',
    method: 'POST',
    path: '/RequestCheckCoreVersion',
    summary: 'Looks on every host now which engine versions have all their images there.',
    needs: () => ({ group: API_GROUP, resource: 'hosts', subresource: 'versions', verb: 'create' }),
    success: { 200: 'All hosts have looked: data.hosts.', 207: 'Some hosts have not: data.hosts says which and why.' },
  },
  {
    call: 'innerCheckCoreVersion',
    method: 'POST',
    path: '/InnerCheckCoreVersion',
    summary: 'The same on this host alone.',
    needs: onHost('create', 'versions'),
    isForPeers: true,
    success: DONE,
  },
  {
    call: 'host',
    method: 'GET',
    path: '/host',
    summary: 'All that is known of this host, with its age, and how each loop goes.',
    needs: onHost('get'),
    success: DONE,
  },
  {
    call: 'ports',
    method: 'GET',
    path: '/ports',
    summary: 'Which processes of this host wait at these ports.',
    needs: onHost('get', 'ports'),
    query: portsQuery,
    success: DONE,
  },
  {
    call: 'planLogs',
    method: 'POST',
    path: '/logs/plan',
    summary: 'What a clean-up of logs would delete now. Changes nothing.',
    needs: onHost('get', 'logs'),
    success: DONE,
  },
  {
    call: 'cleanLogs',
    method: 'POST',
    path: '/logs/clean',
    summary: 'Cleans logs up now, not at the end of the period.',
    needs: onHost('create', 'logs'),
    success: { 202: 'Asked for: data.report names the ConfigMap that tells how it goes.' },
  },
];
