import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { randomUUID } from 'node:crypto';
import { KubeError } from '../kube/errors.ts';
import type { Logger } from '../kube/types.ts';
import { ApiError } from './errors.ts';

/** PEM; with `ca`, callers are asked for a certificate of it, and those without one are known by what else they show. */
export interface ServerTls {
  cert: string;
  key: string;
  ca?: string;
}

/** What a call gave. */
export interface Answer {
  /** HTTP status. */
  status: number;
  data: unknown;
  /** A word for people, where the form of the API has a place for it. */
  message?: string;
}

/** The form that all answers of an API have. */
export interface Envelope {
  success(answer: Answer, requestId: string): object;
  failure(error: ApiError, requestId: string): object;
}

export interface HttpApiOptions {
  tls: ServerTls;
  envelope: Envelope;
  /** The OpenAPI document. */
  document: object;
  /** Whose log tells more of what failed. */
  part: string;
  log: Logger;
}

/** Requests are a few words. */
const MAX_BODY_BYTES = 16 * 1024;
const LIMIT_MS = 10_000;

export const MIN_TLS = 'TLSv1.2';

/**
 * The frame of an HTTPS API: request ids, one form of all answers, errors with their true status, its OpenAPI document.
 * Not listening yet.
 */
export function httpApi({ tls, envelope, document, part, log }: HttpApiOptions): FastifyInstance {
  const app = fastify({
    https: { ...tls, minVersion: MIN_TLS, requestCert: tls.ca !== undefined, rejectUnauthorized: false },
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: LIMIT_MS,
    genReqId: () => randomUUID(),
    requestIdHeader: 'x-request-id',
    logger: false,
  });
  const refuse = (reply: FastifyReply, error: ApiError): void => {
    const { id } = reply.request;
    void reply.header('x-request-id', id).code(error.status).send(envelope.failure(error, id));
  };
  app.setNotFoundHandler((request, reply) =>
    refuse(reply, new ApiError(404, 'NotFound', `no call ${request.method} ${pathOf(request)}`)),
  );
  app.setErrorHandler((error, request, reply) => {
    const refusal = asApiError(error, part);
    if (refusal.status >= 500) log.error('call failed', { ...about(request), error });
    else log.warn('call refused', { ...about(request), reason: refusal.message });
    refuse(reply, refusal);
  });
  app.get('/openapi.json', () => document);
  return app;
}

/** Sends what a call gave, in the form of the API. */
export function succeed(reply: FastifyReply, envelope: Envelope, answer: Answer): FastifyReply {
  const { id } = reply.request;
  return reply.header('x-request-id', id).code(answer.status).send(envelope.success(answer, id));
}

/** What the log tells of a call. */
export function about(request: FastifyRequest): Record<string, unknown> {
  const { namespace, name } = (request.params ?? {}) as { namespace?: string; name?: string };
  return { namespace, cluster: name, method: request.method, path: pathOf(request), requestId: request.id };
}

const pathOf = ({ url }: FastifyRequest): string => url.split('?', 1)[0] ?? '';

/** What the library, the API server or a call threw, as an answer. */
function asApiError(error: unknown, part: string): ApiError {
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
  return new ApiError(500, 'Internal', `the call failed, see the log of the ${part}`, { cause: error });
}
