import type { Config, NodeSSH } from 'node-ssh';
import type { Account } from './account.ts';
import { fingerprint, isTrusted, readKnownHosts, signaturesOf } from './known-hosts.ts';

/** The host does not let the account in: each such try is a failed login in its log. */
export class LoginRefused extends Error {
  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.name = 'LoginRefused';
  }
}

const READY_LIMIT_MS = 5_000;
/** A host that froze is noticed after three of these. */
const KEEP_ALIVE_MS = 3_000;

/**
 * Opens a connection to a host that shows a known key.
 * @param host name of the node: under it the key of this host stands in known_hosts
 * @throws LoginRefused, or Error when it does not come to a login
 */
export async function openConnection(host: string, account: Account): Promise<NodeSSH> {
  const { address, port } = account;
  const known = readKnownHosts(account.knownHosts, namesOf(host, account));
  const signatures = signaturesOf(known);
  if (signatures.length === 0) throw new Error(`known_hosts has no usable key of the host ${host}`);
  // It takes memory that a daemon without host commands does not need.
  const { NodeSSH } = await import('node-ssh');
  const ssh = new NodeSSH();
  let shown: Buffer | undefined;
  const config: Config = {
    host: address,
    port,
    username: account.user,
    privateKey: account.privateKey,
    algorithms: { serverHostKey: signatures as never },
    hostVerifier: (key: Buffer): boolean => isTrusted(known, (shown = key)),
    readyTimeout: READY_LIMIT_MS,
    keepaliveInterval: KEEP_ALIVE_MS,
    keepaliveCountMax: 3,
  };
  const opening = ssh.connect(config);
  // The library listens for errors while it waits for something; one between two commands would end the process.
  ssh.connection?.on('error', () => undefined);
  try {
    await opening;
  } catch (error) {
    ssh.connection?.destroy();
    throw failureOf(error as SshFailure, { host, account, shown });
  }
  ssh.connection?.setNoDelay(true);
  return ssh;
}

/** Names under which the own host may stand in known_hosts: that of the node, and where it is reached. */
const namesOf = (host: string, { address, port }: Account): string[] =>
  port === 22 ? [host, address] : [host, `[${host}]:${port}`, `[${address}]:${port}`];

/** Errors of the library: the phase in `level`, a system's code in `code`. */
interface SshFailure extends Error {
  level?: string;
  code?: string | null;
}

interface Attempt {
  host: string;
  account: Account;
  shown: Buffer | undefined;
}

/** In words for people, with what to mend. */
function failureOf(error: SshFailure, { host, account, shown }: Attempt): Error {
  const { address, port } = account;
  const { message, level } = error;
  const isHostRefused = message.includes('verification failed') || message.includes('no matching host key');
  if (isHostRefused) {
    const seen = shown ? `the key ${fingerprint(shown)}` : 'no key of a known kind';
    return new Error(`the host shows ${seen}, which known_hosts does not have for ${host}`, { cause: error });
  }
  if (level === 'client-authentication') {
    return new LoginRefused(`the host does not let the account ${account.user} in with this key`, error);
  }
  if (message.includes('privateKey')) {
    return new Error(`the private key cannot be read: ${message}`, { cause: error });
  }
  return new Error(`no SSH connection to ${address} port ${port}: ${message}`, { cause: error });
}
