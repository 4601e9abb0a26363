import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { TLSSocket } from 'node:tls';
import { authorize } from '../../http-api/authorize.ts';
import { parseInput } from '../../http-api/input.ts';
import { about, httpApi, succeed, type ServerTls } from '../../http-api/server.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Logger } from '../../kube/types.ts';
import { CALLS, type CallTools } from './calls.ts';
import { identify } from './caller.ts';
import { BASE_PATH, daemonDocument, ENVELOPE } from './document.ts';
import { ROUTES, type Route } from './routes.ts';

export interface ApiServerOptions extends CallTools {
  client: Pick<KubeClient, 'get' | 'create'>;
  tls: ServerTls;
  log: Logger;
}

/** The HTTPS API of a host, with callers known to the API server and rights given by RBAC. Not listening yet. */
export function apiServer(options: ApiServerOptions): FastifyInstance {
  const { tls, log, version } = options;
  const app = httpApi({ tls, log, envelope: ENVELOPE, document: daemonDocument(version), part: 'daemon' });
  // No call takes input in its body, and callers of the original send what they like.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, _body, done) => done(null));
  // As in the original, for probes; how the loops are is told by the plain health port.
  app.get('/healthz', () => ({ status: 'ok' }));
  for (const route of ROUTES) {
    app.route({
      method: route.method,
      url: BASE_PATH + route.path,
      handler: (request, reply) => answer(options, route, request, reply),
    });
  }
  return app;
}

async function answer(
  options: ApiServerOptions,
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { client, host, log } = options;
  const socket = request.raw.socket as Partial<TLSSocket>;
  const { authorization } = request.headers;
  const caller = await identify(client, { socket, authorization }, route.isForPeers === true);
  const query = route.query ? parseInput(route.query, request.query) : {};
  if (caller.user && route.needs) await authorize(client, caller.user, route.needs(host, query));
  const signal = goneSignal(reply);
  const result = await CALLS[route.call](options, { requestId: request.id, query, signal });
  if (route.method === 'POST') log.info('call done', { ...about(request), call: route.call, caller: caller.name });
  return succeed(reply, ENVELOPE, result);
}

/** Aborts when the connection ends before the answer is there. */
function goneSignal({ raw }: FastifyReply): AbortSignal {
  const abort = new AbortController();
  raw.once('close', () => {
    if (!raw.writableEnded) abort.abort(new Error('the caller has gone'));
  });
  return abort.signal;
}
