import * as z from 'zod';
import { ROUTES, type Route } from './routes.ts';

const CLUSTER_PATH = '/clusters/{namespace}/{name}/v1';
const JSON_TYPE = 'application/json';

/** The OpenAPI 3.1 document of the API, made from the table that also serves it. */
export function openApiDocument(version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of ROUTES) {
    const path = CLUSTER_PATH + route.path;
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'PolarDB Stack cluster manager', version },
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'Token of a service account or user.' },
      },
      schemas: { Answer: envelope },
    },
  };
}

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

function operation({ call, summary, query, body, success }: Route): object {
  const inPath = ['namespace', 'name'].map(name => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
  const answer = (description: string): object => ({
    description,
    content: { [JSON_TYPE]: { schema: { $ref: '#/components/schemas/Answer' } } },
  });
  return {
    operationId: call,
    summary,
    parameters: [...inPath, ...queryParameters(query)],
    ...(body && { requestBody: { required: true, content: { [JSON_TYPE]: { schema: inputSchema(body) } } } }),
    responses: {
      [success]: answer(success === 202 ? 'Accepted: data.operation names the MPDOperation to follow.' : 'Done.'),
      default: answer('Refused or failed.'),
    },
  };
}

function queryParameters(query: z.ZodObject | undefined): object[] {
  return Object.entries(query?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    schema: inputSchema(schema as z.ZodType),
  }));
}

const inputSchema = (schema: z.ZodType): object => z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
