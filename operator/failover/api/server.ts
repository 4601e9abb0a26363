import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { authenticate, authorize } from '../../http-api/authorize.ts';
import { routePath } from '../../http-api/route.ts';
import { about, httpApi, succeed, type Envelope, type ServerTls } from '../../http-api/server.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Logger } from '../../kube/types.ts';
import { API_GROUP } from '../../model/names.ts';
import { CALLS, type CallTools } from './calls.ts';
import { CLUSTER_PATH, managerDocument } from './openapi.ts';
import { ROUTES, type Route } from './routes.ts';

export interface ApiServerOptions extends CallTools {
  client: Pick<KubeClient, 'get' | 'create' | 'patchMerge'>;
  tls: ServerTls;
  log: Logger;
}

/** The envelope of the original, with the true status. */
const ENVELOPE: Envelope = {
  success: ({ status, data }) => ({ code: status, data }),
  failure: ({ status, reason, message, field }) => ({ code: status, reason, msg: message, field }),
};

/**
 * The HTTPS API of the original's cluster manager, with callers known to the API server and rights given by RBAC. Not
 * listening yet.
 */
export function apiServer(options: ApiServerOptions): FastifyInstance {
  const { tls, log, version } = options;
  const app = httpApi({ tls, log, envelope: ENVELOPE, document: managerDocument(version), part: 'cluster manager' });
  for (const route of ROUTES) {
    app.route<ClusterPath>({
      method: route.method,
      url: routePath(CLUSTER_PATH + route.path),
      handler: (request, reply) => answer(options, route, request, reply),
    });
  }
  return app;
}

interface ClusterPath {
  Params: { namespace: string; name: string };
}

async function answer(
  options: ApiServerOptions,
  route: Route,
  request: FastifyRequest<ClusterPath>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { namespace, name } = request.params;
  const user = await authenticate(options.client, request.headers.authorization);
  const on = { group: API_GROUP, resource: 'mpdclusters', namespace, name };
  await authorize(options.client, user, { ...on, ...route.needs });
  const { query, body } = request;
  const data = await CALLS[route.call](options, { ref: { namespace, name }, user, query, body });
  if (route.method === 'POST')
    options.log.info('call done', { ...about(request), call: route.call, user: user.username });
  const [status] = Object.keys(route.success);
  return succeed(reply, ENVELOPE, { status: Number(status), data });
}
