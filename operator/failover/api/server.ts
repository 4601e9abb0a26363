import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { randomUUID } from 'node:crypto';
import type { KubeClient } from '../../kube/client.ts';
import { KubeError } from '../../kube/errors.ts';
import type { Logger } from '../../kube/types.ts';
import { authenticate, authorize } from './authorize.ts';
import { CALLS, type CallTools } from './calls.ts';
import { ApiError } from './errors.ts';
import { openApiDocument } from './openapi.ts';
import { ROUTES, type Route } from './routes.ts';

export interface ApiServerOptions extends CallTools {
  client: Pick<KubeClient, 'get' | 'create' | 'patchMerge'>;
  /** PEM. */
  tls: { cert: string; key: string };
  log: Logger;
}

/** Requests are a few words. */
const MAX_BODY_BYTES = 16 * 1024;
const LIMIT_MS = 10_000;

/**
 * The HTTPS API of the original's cluster manager, with callers known to the API server and rights given by RBAC. Not
 * listening yet.
 */
export function apiServer(options: ApiServerOptions): FastifyInstance {
  const { tls, log, version } = options;
  const app = fastify({
    https: { ...tls, minVersion: 'TLSv1.2' },
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: LIMIT_MS,
    genReqId: () => randomUUID(),
    requestIdHeader: 'x-request-id',
    logger: false,
  });
  app.setNotFoundHandler((request, reply) => {
    void refuse(
      reply,
      new ApiError(404, 'NotFound', `no call ${request.method} ${request.url.split('?', 1)[0] ?? ''}`),
    );
  });
  app.setErrorHandler((error, request, reply) => {
    const refusal = asApiError(error);
    if (refusal.status >= 500) log.error('call failed', { ...about(request), error });
    else log.warn('call refused', { ...about(request), reason: refusal.message });
    void refuse(reply, refusal);
  });
  app.get('/openapi.json', () => openApiDocument(version));
  for (const route of ROUTES) {
    app.route<ClusterPath>({
      method: route.method,
      url: `/clusters/:namespace/:name/v1${route.path}`,
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
  await authorize(options.client, user, { ...route.needs, namespace, name });
  const { query, body } = request;
  const data = await CALLS[route.call](options, { ref: { namespace, name }, user, query, body });
  if (route.method === 'POST')
    options.log.info('call done', { ...about(request), call: route.call, user: user.username });
  return reply.header('x-request-id', request.id).code(route.success).send({ code: route.success, data });
}

const refuse = (reply: FastifyReply, { status, reason, message, field }: ApiError): FastifyReply =>
  reply.header('x-request-id', reply.request.id).code(status).send({ code: status, reason, msg: message, field });

function about(request: FastifyRequest): Record<string, unknown> {
  const { namespace, name } = (request.params ?? {}) as Partial<ClusterPath['Params']>;
  return {
    namespace,
    cluster: name,
    method: request.method,
    path: request.url.split('?', 1)[0],
    requestId: request.id,
  };
}

/** What the library, the API server or a call threw, as an answer. */
function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof KubeError) {
    return new ApiError(error.status >= 400 && error.status < 500 ? error.status : 503, error.reason, error.message, {
      cause: error,
    });
  }
  const { statusCode, message } = error as { statusCode?: number; message?: string };
  if (statusCode !== undefined && statusCode < 500) {
    return new ApiError(statusCode, 'InvalidRequest', message ?? 'the request is not valid', { cause: error });
  }
  return new ApiError(500, 'Internal', 'the call failed, see the log of the cluster manager', { cause: error });
}
