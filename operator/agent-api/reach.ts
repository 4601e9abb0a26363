import { connect, type SecureContext } from 'node:tls';
import type { AgentEndpoint } from './endpoint.ts';
import { AgentError } from './errors.ts';

/**
 * Ends when the agent at this endpoint has completed a TLS handshake: its host is there, and its process runs. It is not
 * called: an answer would wait for its engine, which may hang while the agent is well.
 * @throws AgentError `Unreachable` after `limitMs` at the latest
 */
export function reach(endpoint: AgentEndpoint, secureContext: SecureContext, limitMs: number): Promise<void> {
  const { address: host, port, serverName: servername } = endpoint;
  return new Promise((resolve, reject) => {
    const socket = connect({ secureContext, host, port, servername });
    const limit = setTimeout(() => socket.destroy(new Error(`no answer in ${limitMs} ms`)), limitMs);
    socket.once('secureConnect', () => {
      socket.end();
      resolve();
    });
    socket.on('error', (cause: Error) => {
      reject(new AgentError('Unreachable', `agent ${host}:${port}: ${cause.message}`, { cause }));
    });
    socket.once('close', () => clearTimeout(limit));
    socket.resume();
  });
}
