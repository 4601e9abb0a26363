import * as z from 'zod';
import { MAX_HOLD_SECONDS } from '../hold.ts';
import type { Permission } from './authorize.ts';

/** One call of the API. Paths are below `/clusters/{namespace}/{name}/v1`. */
export interface Route {
  /** Name of the call, and `operationId` of the document. */
  call: CallName;
  method: 'GET' | 'POST';
  path: string;
  summary: string;
  needs: Permission;
  query?: z.ZodObject;
  body?: z.ZodObject;
  /** HTTP status of success; 202: an operation does the rest. */
  success: 200 | 202;
}

export type CallName = 'status' | 'version' | 'switchover' | 'enable' | 'haMode' | 'setHaMode' | 'switchLog';

/** The original takes 0 and 1, as numbers or as text. */
const flag = z.union([z.literal([0, 1]), z.enum(['0', '1']), z.boolean()]).transform(value => Number(value) === 1);
const untilSeconds = z
  .int()
  .min(1)
  .max(MAX_HOLD_SECONDS)
  .default(3600)
  .describe('For how long, s; automatic failover comes back by itself then.');

export const statusQuery = z.object({
  type: z
    .enum(['visual', 'cm', 'mode', 'none'])
    .default('none')
    .describe('visual: topology; cm: cluster managers; mode: auto or manual; none: all of the status.'),
});

export const switchoverBody = z.object({
  from: z
    .string()
    .max(253)
    .optional()
    .describe('The RW, as instance id, pod name or address:port; refused when it is another.'),
  to: z.string().min(1).max(253).describe('The new RW, as instance id, pod name or address:port.'),
  force: flag
    .default(false)
    .describe('1 is refused: forcing loses rows and needs an operation of type forceFailover, which states the loss.'),
});

export const enableBody = z.object({
  enable: flag.describe('0: hold automatic failover off for a while; 1: end that.'),
  seconds: untilSeconds,
});

export const haModeBody = z.object({
  mode: z.enum(['auto', 'manual']).describe('manual: hold automatic failover off for a while; auto: end that.'),
  seconds: untilSeconds,
});

const READ: Permission = { verb: 'get' };
const HOLD: Permission = { verb: 'update', subresource: 'ha' };

/** The calls of the original that mean something here (facts: cluster manager, C6). */
export const ROUTES: readonly Route[] = [
  {
    call: 'status',
    method: 'GET',
    path: '/status',
    summary: 'Topology and state of the cluster.',
    needs: READ,
    query: statusQuery,
    success: 200,
  },
  { call: 'version', method: 'GET', path: '/version', summary: 'Release of this program.', needs: READ, success: 200 },
  {
    call: 'switchover',
    method: 'POST',
    path: '/switchover',
    summary: 'Makes an operation that moves the RW to another instance; follow it by its name.',
    needs: { verb: 'create', subresource: 'switchover' },
    body: switchoverBody,
    success: 202,
  },
  {
    call: 'enable',
    method: 'POST',
    path: '/enable',
    summary: 'Holds automatic failover off for a while, or ends that.',
    needs: HOLD,
    body: enableBody,
    success: 200,
  },
  {
    call: 'haMode',
    method: 'GET',
    path: '/ha_mode',
    summary: 'auto, or manual while automatic failover is held off.',
    needs: READ,
    success: 200,
  },
  {
    call: 'setHaMode',
    method: 'POST',
    path: '/ha_mode',
    summary: 'As enable, in the words auto and manual.',
    needs: HOLD,
    body: haModeBody,
    success: 200,
  },
  {
    call: 'switchLog',
    method: 'GET',
    path: '/switch_log',
    summary: 'The newest switches of the RW, newest first.',
    needs: READ,
    success: 200,
  },
];
