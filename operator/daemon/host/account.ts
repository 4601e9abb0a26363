import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { SshFiles } from '../config.ts';
import { NODE_ADDRESS, type SshdPlace } from '../sshd-place.ts';

/** How to log in to the own host. */
export interface Account {
  /** Where its sshd listens. */
  address: string;
  port: number;
  user: string;
  /** Private key as text, in a form of OpenSSH or PEM, not encrypted. */
  privateKey: string;
  /** In the form of OpenSSH's known_hosts. */
  knownHosts: string;
}

/** What a site says of host commands. */
export interface AccountSettings {
  /** Host commands may be used. */
  isSshOn: boolean;
  /** Account on the hosts. */
  sshUser: string;
  /** Where the hosts' sshd listens. */
  sshd: SshdPlace;
}

interface AccountSource {
  settings: AccountSettings;
  files: SshFiles;
  /** Address of this host's node that is its own inside the cluster (`InternalIP`). */
  nodeAddress: string | undefined;
}

/** Names of POSIX accounts, and of directories with dots. */
const USER = /^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/;

/**
 * The account by settings and by the files of the Secret as they are now.
 * @returns a sentence that says what is missing, when there is no account
 */
export async function readAccount({ settings, files, nodeAddress }: AccountSource): Promise<Account | string> {
  const { isSshOn, sshUser: user, sshd } = settings;
  if (!isSshOn) return 'host commands are switched off (enableSsh)';
  if (!USER.test(user)) return `sshUser "${user}" is no name of an account`;
  const [privateKey, knownHosts] = await Promise.all([read(files.key), read(files.knownHosts)]);
  if (privateKey === undefined) return 'there is no private key for host commands';
  if (knownHosts === undefined) return 'there is no known_hosts for host commands';
  const address = sshd.address === NODE_ADDRESS ? nodeAddress : sshd.address;
  if (address === undefined) return `the node says no ${NODE_ADDRESS}`;
  return { address, port: sshd.port, user, privateKey, knownHosts };
}

/** Equal for equal accounts; tells nothing of the key. */
export const digestOf = (account: Account): string =>
  createHash('sha256').update(JSON.stringify(account)).digest('hex');

async function read(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
