import { createServer, type Server } from 'node:http';
import type { EngineLook } from '../engine/profile.ts';
import type { Plan } from './state-store.ts';
import type { Phase } from './supervise.ts';

/** What readiness is judged by. */
export interface HealthView {
  plan: Plan;
  phase: Phase;
  /** Does an engine serve this role, or does the member stand ready without one? */
  isServing: boolean;
  /** Undefined when SQL does not answer in time. */
  look: EngineLook | undefined;
  /** Has this follower streamed since it started? Later silence of the RW does not make its reads wrong. */
  hasStreamed: boolean;
}

/** Is the member in the state that it was told to be in? @returns why not, or undefined */
export function objectionToReady({ plan, phase, isServing, look, hasStreamed }: HealthView): string | undefined {
  if (plan.role === 'stopped') return 'stopped';
  if (!isServing) return undefined;
  if (phase !== 'running') return `engine is ${phase}`;
  if (!look) return 'SQL does not answer in time';
  if (plan.role === 'rw') return look.acceptsWrites ? undefined : 'does not accept writes';
  if (look.role === 'rw') return 'runs as RW, told to follow';
  return look.streaming === true || hasStreamed ? undefined : 'never streamed from the RW';
}

/** Answers for the kubelet, in plain HTTP: a word each, nothing secret, no command. Liveness never depends on SQL. */
export async function startHealthServer(port: number, ready: () => Promise<string | undefined>): Promise<Server> {
  const server = createServer((incoming, outgoing) => {
    const say = (objection: string | undefined): void => {
      outgoing.writeHead(objection === undefined ? 200 : 503, { 'content-type': 'text/plain' });
      outgoing.end(`${objection ?? 'ok'}\n`);
    };
    switch (incoming.url) {
      case '/livez':
      case '/startupz':
        say(undefined);
        break;
      case '/readyz':
        ready().then(say, () => say('cannot tell'));
        break;
      default:
        outgoing.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, resolve);
  });
  return server;
}
