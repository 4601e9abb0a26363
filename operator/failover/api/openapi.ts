import { openApiDocument } from '../../http-api/openapi.ts';
import { ROUTES } from './routes.ts';

export const CLUSTER_PATH = '/clusters/{namespace}/{name}/v1';

/** The document of the cluster manager's API. */
export const managerDocument = (version: string): object =>
  openApiDocument({ title: 'PolarDB Stack cluster manager', version, basePath: CLUSTER_PATH, envelope }, ROUTES);

/** The envelope of the original, with the true HTTP status in `code`. */
const envelope = {
  type: 'object',
  required: ['code'],
  properties: {
    code: { type: 'integer', description: 'The HTTP status.' },
    msg: { type: 'string', description: 'What is wrong and what to do, when the call failed.' },
    reason: { type: 'string', description: 'The same in one word.' },
    data: { description: 'The result, when the call did not fail.' },
  },
};
