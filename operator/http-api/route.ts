import type * as z from 'zod';

/** One call of an API: what serves it and what describes it are made from the same table. */
export interface ApiRoute {
  /** Name of the call, and `operationId` of the document. */
  call: string;
  method: 'GET' | 'POST';
  /** Below the base path of the API; `{name}` stands for a part that varies. */
  path: string;
  summary: string;
  query?: z.ZodObject;
  body?: z.ZodObject;
  /** What each HTTP status of success means. */
  success: Readonly<Record<number, string>>;
  /** Served to anybody. */
  isOpen?: boolean;
}

/** A path of the table in the form of the web framework. */
export const routePath = (path: string): string => path.replace(/\{(\w+)\}/g, ':$1');
