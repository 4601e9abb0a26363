import { generateKeyPairSync } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import ssh2, { type Connection, type ServerChannel } from 'ssh2';

/** What the host does with a line that it is asked to run. */
export type Shell = (line: string, channel: ServerChannel) => void;

export interface KeyPair {
  privateKey: string;
  /** One line, `type base64`. */
  publicKey: string;
}

export function newKeyPair(): KeyPair {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const text = privateKey.export({ type: 'pkcs1', format: 'pem' }) as string;
  const parsed = ssh2.utils.parseKey(text);
  if (parsed instanceof Error) throw parsed;
  return { privateKey: text, publicKey: `${parsed.type} ${parsed.getPublicSSH().toString('base64')}` };
}

/** An SSH server in this process, which does wrong what it is told to. */
export class FakeSshd {
  readonly lines: string[] = [];
  readonly connections = new Set<Connection>();
  logins = 0;
  /** Connections that were opened, also those that came to no login. */
  reached = 0;
  shell: Shell = (_line, channel) => finish(channel, { stdout: 'done\n' });
  /** The account's key is let in. */
  isOpen = true;
  /** Refuses channels from this number at the same time on, as MaxSessions does. */
  mostChannels = 10;
  channels = 0;
  peakChannels = 0;
  port = 0;
  readonly #server: ssh2.Server;

  constructor(hostKey: KeyPair) {
    this.#server = new ssh2.Server({ hostKeys: [hostKey.privateKey] }, connection => this.#serve(connection));
  }

  async start(port = 0): Promise<void> {
    await new Promise<void>(resolve => this.#server.listen(port, '127.0.0.1', resolve));
    this.port = (this.#server.address() as AddressInfo).port;
  }

  /** As when sshd is killed: no word to anybody. */
  async stop(): Promise<void> {
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()));
    this.cut();
    await closed;
  }

  /** Breaks all connections. */
  cut(): void {
    for (const connection of this.connections)
      (connection as unknown as { _sock: { destroy(): void } })._sock.destroy();
  }

  #serve(connection: Connection): void {
    this.reached++;
    this.connections.add(connection);
    connection.on('error', () => undefined);
    connection.on('close', () => this.connections.delete(connection));
    connection.on('authentication', context => {
      if (this.isOpen && context.method === 'publickey') {
        if (context.signature) this.logins++;
        context.accept();
      } else context.reject(['publickey']);
    });
    connection.on('session', accept => {
      const session = accept();
      session.on('exec', (allow, refuse, { command }) => {
        if (this.channels >= this.mostChannels) {
          refuse();
          return;
        }
        const channel = allow();
        this.channels++;
        this.peakChannels = Math.max(this.peakChannels, this.channels);
        channel.on('close', () => this.channels--);
        // The end of its input is noticed by reading it.
        channel.resume();
        channel.on('error', () => undefined);
        this.lines.push(command);
        this.shell(command, channel);
      });
    });
  }
}

/** Ends a command as a host does. */
export function finish(
  channel: ServerChannel,
  result: { stdout?: string | Buffer; stderr?: string; code?: number },
): void {
  const { stdout = '', stderr = '', code = 0 } = result;
  if (stderr !== '') channel.stderr.write(stderr);
  channel.write(stdout);
  channel.exit(code);
  channel.end();
}
