import * as z from 'zod';
import { AgentError } from '../agent-api/errors.ts';
import * as requests from '../agent-api/requests.ts';
import type { CallName } from './access.ts';
import type { Agent } from './agent.ts';

export interface Route {
  call: CallName;
  /** @throws AgentError, `InvalidRequest` when the body does not fit */
  run: (body: unknown, commonName: string) => Promise<unknown>;
}

export type Calls = Pick<Agent, Exclude<CallName, 'beats'>>;

const TASK_PATH = /^\/v1\/tasks\/([^/]+)$/;

/** The call that a method and a path name. @throws AgentError `NotFound` */
export function findRoute(calls: Calls, method: string, path: string): Route {
  const task = method === 'GET' ? TASK_PATH.exec(path)?.[1] : undefined;
  if (task !== undefined) {
    return { call: 'task', run: () => Promise.resolve().then(() => calls.task(decodeURIComponent(task))) };
  }
  const route = ROUTES[`${method} ${path}`];
  if (!route) throw new AgentError('NotFound', `no call ${method} ${path}`);
  return { call: route.call, run: (body, commonName) => route.run(calls, body, commonName) };
}

interface Entry {
  call: CallName;
  run: (calls: Calls, body: unknown, commonName: string) => Promise<unknown>;
}

const ROUTES: Readonly<Record<string, Entry>> = {
  'GET /v1/state': { call: 'state', run: calls => calls.state() },
  'POST /v1/install': entry('install', requests.installRequest, (calls, body) => calls.install(body)),
  'POST /v1/start': entry('start', requests.startRequest, (calls, body) => calls.start(body)),
  'POST /v1/promote': entry('promote', requests.promoteRequest, (calls, body) => calls.promote(body)),
  'POST /v1/demote': entry('demote', requests.demoteRequest, (calls, body) => calls.demote(body)),
  'POST /v1/stop': entry('stop', requests.stopRequest, (calls, body) => calls.stop(body)),
  'POST /v1/restart': entry('restart', requests.restartRequest, (calls, body) => calls.restart(body)),
  'POST /v1/resume': entry('resume', requests.resumeRequest, (calls, body) => calls.resume(body)),
  'POST /v1/prepare': entry('prepare', requests.prepareRequest, (calls, body) => calls.prepare(body)),
  'POST /v1/quorum': entry('quorum', requests.quorumRequest, (calls, body) => calls.quorum(body)),
  'POST /v1/checkpoint': entry('checkpoint', requests.checkpointRequest, (calls, body) => calls.checkpoint(body)),
  'POST /v1/verify': entry('verify', requests.verifyRequest, (calls, body) => calls.verify(body)),
  'POST /v1/promises': entry('promises', requests.promisesRequest, (calls, body, name) => calls.promises(body, name)),
  'PUT /v1/settings': entry('settings', requests.settingsRequest, (calls, body) => calls.settings(body)),
  'PUT /v1/slots': entry('slots', requests.slotsRequest, (calls, body) => calls.slots(body)),
  'POST /v1/accounts': entry('account', requests.accountRequest, (calls, body) => calls.account(body)),
  'POST /v1/databases': entry('database', requests.databaseRequest, (calls, body) => calls.database(body)),
};

function entry<S extends z.ZodType>(
  call: CallName,
  schema: S,
  run: (calls: Calls, body: z.output<S>, commonName: string) => Promise<unknown>,
): Entry {
  return { call, run: async (calls, body, commonName) => run(calls, parse(schema, body), commonName) };
}

/** The message tells where and why, never what was sent: a body may hold a password. */
function parse<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue?.path.map(String).join('.') ?? '';
  throw new AgentError('InvalidRequest', `${field === '' ? 'body' : field}: ${issue?.message ?? 'is not valid'}`, {
    field,
  });
}
