import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { beatSchema, BEAT_PROTOCOL } from '../../../operator/agent-api/beat.ts';
import type { TlsMaterial } from '../../../operator/agent-api/client.ts';
import { AgentError } from '../../../operator/agent-api/errors.ts';
import { JsonLines } from '../../../operator/agent-api/lines.ts';
import type { SimulatedMember } from '../../../operator/failover/testing/simulated-member.ts';
import { POD_NETWORK_PORTS } from '../../../operator/model/ports.ts';

/** A certificate, and the names that it is shown for. */
export interface AgentTls extends TlsMaterial {
  names: readonly string[];
}

/**
 * Serves the API of many agents with one server: who is asked tells the address that was dialled.
 * @param at who lives at an address of this machine
 */
export async function serveAgents(tls: readonly AgentTls[], at: (address: string) => SimulatedMember): Promise<Server> {
  const server = createServer({ ...tls[0]!, requestCert: true, minVersion: 'TLSv1.3' }, (request, answer) => {
    void call(at(addressOf(request.socket)), request, answer);
  });
  for (const { names, ca, cert, key } of tls) for (const name of names) server.addContext(name, { ca, cert, key });
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.setNoDelay(true);
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${BEAT_PROTOCOL}\r\n\r\n`);
    stream(at(addressOf(request.socket)), socket, head);
  });
  await new Promise<void>(resolve => server.listen(POD_NETWORK_PORTS.agent, '0.0.0.0', resolve));
  return server;
}

const addressOf = ({ localAddress = '' }: Socket): string => localAddress;

function stream(member: SimulatedMember, socket: Socket, head: Buffer): void {
  let close: () => void = () => undefined;
  const lines = new JsonLines(
    socket,
    value => beats?.send(beatSchema.parse(value)),
    () => close(),
  );
  const beats = member.connect({
    opened: () => undefined,
    report: report => lines.send(report),
    ended: () => socket.destroy(),
  });
  close = () => beats?.close();
  lines.unshift(head);
}

async function call(member: SimulatedMember, request: IncomingMessage, answer: ServerResponse): Promise<void> {
  const name = (request.url ?? '').replace('/v1/', '');
  const calls = member.client() as unknown as Record<string, ((body: unknown) => Promise<unknown>) | undefined>;
  try {
    const result = await calls[name]?.(JSON.parse(await text(request)));
    answer.end(JSON.stringify(result ?? {}));
  } catch (error) {
    const { status, code, message } = error instanceof AgentError ? error : new AgentError('Internal', String(error));
    answer.writeHead(status).end(JSON.stringify({ error: { code, message } }));
  }
}
