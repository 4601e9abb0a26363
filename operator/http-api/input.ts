import type * as z from 'zod';
import { ApiError } from './errors.ts';

/**
 * What a caller sent, in the form that the call works with.
 * @throws ApiError 400 naming the first field that does not fit
 */
export function parseInput<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value ?? {});
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue?.path.map(String).join('.') ?? '';
  const where = field === '' ? 'request' : field;
  throw new ApiError(400, 'InvalidRequest', `${where}: ${issue?.message ?? 'is not valid'}`, { field });
}
