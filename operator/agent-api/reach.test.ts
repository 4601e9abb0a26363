import { expect } from 'chai';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer } from 'node:tls';
import { createCa } from '../pki/ca.ts';
import type { KeyedCertificate } from '../pki/keys.ts';
import { issueLeaf } from '../pki/leaf.ts';
import { AgentConnector, type TlsMaterial } from './client.ts';

const now = new Date();
const NAME = 'orders-1001';
const LIMIT_MS = 200;

async function leaf(ca: KeyedCertificate, sans: string[] = []): Promise<TlsMaterial> {
  const { certificate, key } = await issueLeaf(ca, { subject: { part: 'agent', name: 'test' }, sans }, { now });
  return { ca: ca.certificate, cert: certificate, key };
}

const listening = async (server: Server): Promise<number> => {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
};

describe('reaching an agent', () => {
  let ca: KeyedCertificate;
  let connector: AgentConnector;
  const servers: Server[] = [];
  const sockets: Socket[] = [];
  const tlsErrors: string[] = [];

  before(async () => {
    ca = await createCa({ now });
    connector = new AgentConnector(await leaf(ca));
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const server of servers.splice(0)) server.close();
    tlsErrors.length = 0;
  });

  async function agent(authority: KeyedCertificate): Promise<number> {
    const server = createServer({ ...(await leaf(authority, [NAME])), requestCert: true, rejectUnauthorized: true });
    server.on('tlsClientError', error => tlsErrors.push(error.message));
    server.on('connection', (socket: Socket) => sockets.push(socket));
    server.on('secureConnection', socket => socket.resume());
    servers.push(server);
    return listening(server);
  }

  const reached = async (port: number, serverName = NAME): Promise<string> =>
    connector.reach({ address: '127.0.0.1', port, serverName }, LIMIT_MS).then(
      () => 'reached',
      (error: unknown) => (error as { code: string }).code,
    );

  it('is a handshake, after which the connection ends without a complaint', async () => {
    const port = await agent(ca);
    expect(await reached(port)).to.equal('reached');
    await new Promise<void>(resolve => sockets[0]!.once('close', () => resolve()));
    expect(tlsErrors).to.deep.equal([]);
  });

  it('fails where nobody listens', async () => {
    const server = createTcpServer();
    const port = await listening(server);
    await new Promise<void>(resolve => server.close(() => resolve()));
    expect(await reached(port)).to.equal('Unreachable');
  });

  it('fails within its limit where the kernel accepts and the process does not answer', async () => {
    const server = createTcpServer(socket => sockets.push(socket));
    servers.push(server);
    const port = await listening(server);
    const began = performance.now();
    expect(await reached(port)).to.equal('Unreachable');
    expect(performance.now() - began).to.be.greaterThan(LIMIT_MS - 5);
  });

  it('fails where somebody else answers', async () => {
    expect(await reached(await agent(ca), 'orders-1002')).to.equal('Unreachable');
    expect(await reached(await agent(await createCa({ now })))).to.equal('Unreachable');
  });
});
