import * as z from 'zod';
import type { ApiRoute } from './route.ts';

const JSON_TYPE = 'application/json';

export interface ApiDescription {
  title: string;
  version: string;
  /** In front of each path of the table. */
  basePath: string;
  /** JSON Schema of what every call answers. */
  envelope: object;
}

/** The OpenAPI 3.1 document of an API, made from the table that also serves it. */
export function openApiDocument(description: ApiDescription, routes: readonly ApiRoute[]): object {
  const { title, version, basePath, envelope } = description;
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const path = basePath + route.path;
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route, path) };
  }
  return {
    openapi: '3.1.0',
    info: { title, version },
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

function operation({ call, summary, query, body, success, isOpen }: ApiRoute, path: string): object {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  const inPath = names.map(name => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
  const answer = (description: string): object => ({
    description,
    content: { [JSON_TYPE]: { schema: { $ref: '#/components/schemas/Answer' } } },
  });
  const answers = Object.entries(success).map(([status, description]) => [status, answer(description)] as const);
  return {
    operationId: call,
    summary,
    parameters: [...inPath, ...queryParameters(query)],
    ...(body && { requestBody: { required: true, content: { [JSON_TYPE]: { schema: inputSchema(body) } } } }),
    ...(isOpen === true && { security: [] }),
    responses: { ...Object.fromEntries(answers), default: answer('Refused or failed.') },
  };
}

function queryParameters(query: z.ZodObject | undefined): object[] {
  return Object.entries((query?.shape ?? {}) as Record<string, z.ZodType>).map(([name, schema]) => ({
    name,
    in: 'query',
    required: !schema.safeParse(undefined).success,
    schema: inputSchema(schema),
  }));
}

const inputSchema = (schema: z.ZodType): object => z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
