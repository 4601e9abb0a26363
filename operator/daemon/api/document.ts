import { openApiDocument } from '../../http-api/openapi.ts';
import type { Envelope } from '../../http-api/server.ts';
import { ROUTES } from './routes.ts';

export const BASE_PATH = '/api/v1';

/** The document of the daemon's API. */
export const daemonDocument = (version: string): object =>
  openApiDocument({ title: 'PolarDB Stack daemon', version, basePath: BASE_PATH, envelope: ANSWER }, ROUTES);

/** Words of the original for `code`. */
const DONE = '1';
const NOT_DONE = '0';
/** HTTP status of what was done on some hosts only. */
export const MULTI_STATUS = 207;

/** The original's envelope; what it left empty, the request id, is filled in, and a failure has its word and field. */
export const ENVELOPE: Envelope = {
  success: ({ status, data, message = '' }, requestId) => ({
    code: status === MULTI_STATUS ? NOT_DONE : DONE,
    data,
    message,
    requestId,
  }),
  failure: ({ reason, message, field }, requestId) => ({
    code: NOT_DONE,
    data: null,
    message,
    requestId,
    reason,
    field,
  }),
};

const ANSWER = {
  type: 'object',
  required: ['code', 'data', 'message', 'requestId'],
  properties: {
    code: { type: 'string', enum: [DONE, NOT_DONE], description: '1: done. The HTTP status says more.' },
    data: { description: 'The result; null when the call failed.' },
    message: { type: 'string', description: 'What is wrong and what to do, when the call failed.' },
    requestId: {
      type: 'string',
      description: 'Names this call in the logs; the header x-request-id, if you sent one.',
    },
    reason: { type: 'string', description: 'What is wrong, in one word.' },
    field: { type: 'string', description: 'Field of the request that is wrong.' },
  },
};
