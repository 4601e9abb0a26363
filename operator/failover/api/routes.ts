import * as z from 'zod';
import type { ApiRoute } from '../../http-api/route.ts';
import { MAX_HOLD_SECONDS } from '../hold.ts';

/** What a call needs to be allowed to do: a verb on `mpdclusters` or on a subresource of it. */
export interface Needs {
  verb: 'get' | 'create' | 'update';
  /** Absent: the cluster itself. */
  subresource?: 'switchover' | 'ha';
}

/** One call of the API. Paths are below `/clusters/{namespace}/{name}/v1`. */
export interface Route extends ApiRoute {
  call: CallName;
  needs: Needs;
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

const READ: Needs = { verb: 'get' };
const HOLD: Needs = { verb: 'update', subresource: 'ha' };
const DONE = { 200: 'Done.' };
const ACCEPTED = { 202: 'Accepted: data.operation names the MPDOperation to follow.' };

/** The calls of the original that mean something here (facts: cluster manager, C6). */
export const ROUTES: readonly Route[] = [
  {
    call: 'status',
    method: 'GET',
    path: '/status',
    summary: 'Topology and state of the cluster.',
    needs: READ,
    query: statusQuery,
    success: DONE,
  },
  { call: 'version', method: 'GET', path: '/version', summary: 'Release of this program.', needs: READ, success: DONE },
  {
    call: 'switchover',
    method: 'POST',
    path: '/switchover',
    summary: 'Makes an operation that moves the RW to another instance; follow it by its name.',
    needs: { verb: 'create', subresource: 'switchover' },
    body: switchoverBody,
    success: ACCEPTED,
  },
  {
    call: 'enable',
    method: 'POST',
    path: '/enable',
    summary: 'Holds automatic failover off for a while, or ends that.',
    needs: HOLD,
    body: enableBody,
    success: DONE,
  },
  {
    call: 'haMode',
    method: 'GET',
    path: '/ha_mode',
    summary: 'auto, or manual while automatic failover is held off.',
    needs: READ,
    success: DONE,
  },
  {
    call: 'setHaMode',
    method: 'POST',
    path: '/ha_mode',
    summary: 'As enable, in the words auto and manual.',
    needs: HOLD,
    body: haModeBody,
    success: DONE,
  },
  {
    call: 'switchLog',
    method: 'GET',
    path: '/switch_log',
    summary: 'The newest switches of the RW, newest first.',
    needs: READ,
    success: DONE,
  },
];
