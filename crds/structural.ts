import * as z from 'zod';

/** A node of a structural OpenAPI v3 schema, as CustomResourceDefinitions take it. */
export interface Structural {
  type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  description?: string;
  format?: string;
  default?: unknown;
  enum?: unknown[];
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  properties?: Record<string, Structural>;
  required?: string[];
  items?: Structural;
  additionalProperties?: Structural;
  anyOf?: { type: string }[];
  'x-kubernetes-int-or-string'?: true;
  'x-kubernetes-list-type'?: 'map' | 'set';
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-validations'?: { rule: string; message: string; fieldPath?: string; optionalOldSelf?: boolean }[];
}

/** What structural schemas may carry here, in the order in which it is printed. */
const KEYWORDS = [
  'description',
  'type',
  'format',
  'default',
  'enum',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'required',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-validations',
] as const;
const NESTED = ['properties', 'items', 'additionalProperties', 'anyOf', 'propertyNames', '$schema'];

type JsonSchema = Record<string, unknown>;

/**
 * The structural form of a zod schema, as a person writes the data (fields with a default are optional).
 * @throws Error naming the place when it needs what the API server refuses: a union, a reference, a field without type
 */
export function structural(schema: z.ZodType, place: string): Structural {
  const json = z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', reused: 'inline' });
  return convert(json, place);
}

function convert(json: JsonSchema, place: string): Structural {
  for (const keyword of Object.keys(json)) {
    if (!NESTED.includes(keyword) && !KEYWORDS.some(known => known === keyword)) {
      throw new Error(`${place}: ${keyword} has no place in a structural schema`);
    }
  }
  const node = Object.fromEntries(KEYWORDS.filter(key => json[key] !== undefined).map(key => [key, json[key]]));
  const isIntOrString = json['x-kubernetes-int-or-string'] === true;
  if (isIntOrString) node.anyOf = [{ type: 'integer' }, { type: 'string' }];
  else if (json.anyOf !== undefined || typeof json.type !== 'string') throw new Error(`${place}: a union or no type`);
  return { ...withoutImpliedBounds(node), ...children(json, place) };
}

function children(json: JsonSchema, place: string): Structural {
  const { properties, items, additionalProperties } = json as Record<string, JsonSchema | undefined>;
  return {
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, child]) => [name, convert(child as JsonSchema, `${place}.${name}`)]),
      ),
    }),
    ...(items && { items: convert(items, `${place}[]`) }),
    ...(typeof additionalProperties === 'object' && {
      additionalProperties: convert(additionalProperties, `${place}{}`),
    }),
  };
}

/** zod bounds integers by what JavaScript can hold, and spells dates out; both only make the CRD longer. */
function withoutImpliedBounds(node: JsonSchema): Structural {
  const { minimum, maximum, pattern, ...rest } = node;
  return {
    ...rest,
    ...(minimum !== undefined && minimum !== Number.MIN_SAFE_INTEGER && { minimum }),
    ...(maximum !== undefined && maximum !== Number.MAX_SAFE_INTEGER && { maximum }),
    ...(pattern !== undefined && node.format !== 'date-time' && { pattern }),
  } as Structural;
}
