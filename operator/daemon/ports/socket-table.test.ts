import { expect } from 'chai';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addressOf, readSockets, socketsIn } from './socket-table.ts';

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
/** Lines as Linux 6 prints them. */
const TCP = [
  '   0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000    26        0 640 1 00000000b5f9b09f 100 0 0 10 0',
  '   1: FE40A00A:84C2 5412A00A:1538 01 0000009D:00000001 01:00000005 00000006     0        0 9 2 00000000c561ff17 1305 4 28 1 -1',
  '   2: FE40A00A:B070 5412A00A:0A0A 06 00000000:00000000 03:000000BF 00000000     0        0 0 3 00000000',
  '10000: 00000000:8CA0 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4294967295 1 00000000b5f9b09f',
];
const TCP6 =
  '   0: 000080FE00000000FF57A6C6DEADBEEF:1538 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 7 1 0 100 0 0 10 0';
const UDP = [
  ' 1105: 00000000:007B 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 11 2 0000000000000000 0',
  ' 1106: 0100007F:A3F1 0100007F:0035 01 00000000:00000000 00:00000000 00000000     0        0 12 2 0000000000000000 0',
];
const text = (...lines: string[]): string => HEAD + lines.map(line => `${line}   \n`).join('');

describe('socket tables', () => {
  it('TCP: listeners alone', () =>
    expect(socketsIn(text(...TCP), 'tcp')).to.deep.equal([
      { protocol: 'tcp', port: 5432, address: '0100007F', inode: 640 },
      { protocol: 'tcp', port: 36000, address: '00000000', inode: 4294967295 },
    ]));

  it('IPv6', () =>
    expect(socketsIn(text(TCP6), 'tcp')).to.deep.equal([
      { protocol: 'tcp', port: 5432, address: '000080FE00000000FF57A6C6DEADBEEF', inode: 7 },
    ]));

  it('UDP: sockets without a peer', () =>
    expect(socketsIn(text(...UDP), 'udp')).to.deep.equal([
      { protocol: 'udp', port: 123, address: '00000000', inode: 11 },
    ]));

  for (const [hex, address] of [
    ['0100007F', '127.0.0.1'],
    ['00000000', '0.0.0.0'],
    ['FE40A00A', '10.160.64.254'],
    ['00000000000000000000000000000000', '::'],
    ['00000000000000000000000001000000', '::1'],
    ['000080FE00000000FF57A6C6EFBEADDE', 'fe80::c6a6:57ff:dead:beef'],
  ] as const) {
    it(`${hex} is ${address}`, () => expect(addressOf(hex)).to.equal(address));
  }
});

describe('reading socket tables', () => {
  let directory: string;
  const { signal } = new AbortController();
  beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'tables-'))));
  afterEach(() => rm(directory, { recursive: true }));

  it('a long table is read in pieces, and no line is lost or seen twice', async () => {
    const line = (n: number): string =>
      `${n}: 00000000:${n.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A 0:0 00:0 0  0 0 ${n} 1`;
    await writeFile(join(directory, 'tcp'), text(...Array.from({ length: 11_000 }, (_, n) => line(n + 30_000))));
    const ports = (await readSockets(join(directory, 'tcp'), 'tcp', signal)).map(({ port }) => port);
    expect(ports).to.deep.equal(Array.from({ length: 11_000 }, (_, n) => n + 30_000));
  });

  it('a host without IPv6 has no such tables', async () =>
    expect(await readSockets(join(directory, 'udp6'), 'udp', signal)).to.deep.equal([]));

  it('without the table of IPv4 nothing is known', async () => {
    const error: unknown = await readSockets(join(directory, 'tcp'), 'tcp', signal).catch((reason: unknown) => reason);
    expect(String(error)).to.contain('ENOENT');
  });

  it('ends when it is called off', async () => {
    await writeFile(join(directory, 'tcp'), text(...TCP));
    const error: unknown = await readSockets(join(directory, 'tcp'), 'tcp', AbortSignal.abort(new Error('over'))).catch(
      (reason: unknown) => reason,
    );
    expect(String(error)).to.contain('over');
  });
});
