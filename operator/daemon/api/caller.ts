import type { TLSSocket } from 'node:tls';
import { authenticate, type User } from '../../http-api/authorize.ts';
import type { KubeClient } from '../../kube/client.ts';
import { DAEMON_SUBJECT } from '../../model/host.ts';
import { ORGANISATION } from '../../model/parts.ts';

/** Who calls: a user whom the API server knows, or a daemon of ours. */
export interface Caller {
  name: string;
  /** Absent: a daemon. */
  user?: User;
}

export interface Credentials {
  /** The connection; without TLS, as in tests, it shows no certificate. */
  socket: Partial<Pick<TLSSocket, 'authorized' | 'getPeerCertificate'>>;
  authorization: string | undefined;
}

/**
 * Daemons are known by their certificate, which counts for what daemons ask of each other only; all others by a token.
 * @throws ApiError 401
 */
export async function identify(
  client: Pick<KubeClient, 'create'>,
  { socket, authorization }: Credentials,
  isForPeers: boolean,
): Promise<Caller> {
  if (isForPeers && isDaemon(socket)) return { name: 'daemon' };
  const user = await authenticate(client, authorization);
  return { name: user.username, user };
}

/** The library has verified the certificate against our authority; its subject says what part it is of. */
function isDaemon(socket: Credentials['socket']): boolean {
  if (socket.authorized !== true) return false;
  const { O: organisation, OU: part } = socket.getPeerCertificate?.().subject ?? {};
  return organisation === ORGANISATION && part === DAEMON_SUBJECT.part;
}
