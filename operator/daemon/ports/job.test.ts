import { expect } from 'chai';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock, settle } from '../../kube/testing/fake-clock.ts';
import { systemClock, type Clock } from '../../kube/clock.ts';
import type { PortRange } from '../../model/ports.ts';
import type { FactContent, FactEdit } from '../fact-map.ts';
import type { PortsFact } from './fact.ts';
import { PortsJob } from './job.ts';

/** Test only: the map of a server that takes everything. */
class HeldMap {
  content: FactContent | undefined;
  writes = 0;

  write(edit: FactEdit): Promise<boolean> {
    const changed = edit(this.content, '2026-11-21T10:00:00Z');
    if (changed) this.writes++;
    this.content = changed ?? this.content;
    return Promise.resolve(changed !== undefined);
  }
}

const { signal } = new AbortController();

describe('the job of the ports', () => {
  let proc: string;
  let map: HeldMap;
  let fact: PortsFact | undefined;
  let settings: { isPortPrintingOn: boolean; portRanges: PortRange[] | undefined };
  const jobOf = (clock: Clock): PortsJob =>
    new PortsJob({
      proc,
      settings: () => settings,
      map,
      facts: { publish: (_name, given) => (fact = given as PortsFact) },
      clock,
    });
  const inUse = (): number[] => Object.keys(map.content?.data ?? {}).map(Number);

  beforeEach(async () => {
    proc = await mkdtemp(join(tmpdir(), 'proc-'));
    await mkdir(join(proc, 'self'));
    await mkdir(join(proc, 'sys/net/ipv4'), { recursive: true });
    map = new HeldMap();
    fact = undefined;
    settings = { isPortPrintingOn: true, portRanges: [{ first: 1, last: 65535 }] };
  });
  afterEach(() => rm(proc, { recursive: true }));

  describe('on this machine', () => {
    beforeEach(() => symlink('/proc/self/net', join(proc, 'self/net')));

    it('sees a listener come and go', async () => {
      const server = createServer().listen(0);
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      settings.portRanges = [{ first: port, last: port }];
      const job = jobOf(systemClock);
      expect((await job.run(signal)).message).to.equal('1 of the watched ports in use');
      expect(inUse()).to.deep.equal([port]);
      expect(fact).to.deep.equal({ used: [port], ranges: settings.portRanges, ephemeral: [] });
      server.close();
      await once(server, 'close');
      await job.run(signal);
      expect(inUse()).to.deep.equal([]);
    });

    it('sees UDP, and says which process waits where', async () => {
      await symlink(`/proc/${process.pid}`, join(proc, String(process.pid)));
      const server = createSocket('udp4').bind(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address();
      const job = jobOf(systemClock);
      settings.portRanges = [{ first: port, last: port }];
      await job.run(signal);
      expect(inUse()).to.deep.equal([port]);
      const [owner] = await job.owners([port], signal);
      const { pid, title } = process;
      expect(owner).to.deep.include({ port, protocol: 'udp', address: '127.0.0.1', pid });
      expect(owner?.process).to.be.a('string').and.not.equal('', title);
      server.close();
    });

    it('a port that nobody waits at has no owner', async () =>
      expect(await jobOf(systemClock).owners([], signal)).to.deep.equal([]));
  });

  describe('with tables of a host', () => {
    const udp = (port: number, inode: number): string =>
      `  1: 00000000:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 07 0:0 00:0 0 0 0 ${inode} 2\n`;
    const tables = async (texts: { tcp?: string; udp?: string }): Promise<void> => {
      for (const file of ['tcp', 'udp'] as const) await writeFile(join(proc, 'self/net', file), texts[file] ?? '');
    };
    beforeEach(async () => {
      await mkdir(join(proc, 'self/net'));
      await writeFile(join(proc, 'sys/net/ipv4/ip_local_port_range'), '32768\t60999\n');
    });

    it('a UDP client that has a port of the ranges for a moment is not published', async () => {
      const clock = new FakeClock();
      const job = jobOf(clock);
      await tables({ udp: udp(123, 1) + udp(40_000, 2) + udp(40_001, 3) });
      const running = job.run(signal);
      await waiting(clock);
      await tables({ udp: udp(123, 1) + udp(40_001, 3) + udp(40_000, 4) });
      await clock.advance(1_000);
      await running;
      expect(inUse()).to.deep.equal([123, 40_001]);
      expect(fact?.ephemeral).to.deep.equal([{ first: 32768, last: 60999 }]);
    });

    it('a UDP server is waited for once', async () => {
      const clock = new FakeClock();
      const job = jobOf(clock);
      await tables({ udp: udp(40_001, 3) });
      const first = job.run(signal);
      await waiting(clock);
      await clock.advance(1_000);
      await first;
      await job.run(signal);
      expect(inUse()).to.deep.equal([40_001]);
      expect(map.writes).to.equal(1);
    });

    for (const [what, change, text] of [
      ['switched off', { isPortPrintingOn: false }, 'enablePrintPort'],
      ['ranges not known', { portRanges: undefined }, 'not known'],
    ] as const) {
      it(`${what}: what was published stays`, async () => {
        map.content = { data: { '5400': 'the port already use' } };
        Object.assign(settings, change);
        const told = await jobOf(new FakeClock())
          .run(signal)
          .then(
            ({ message, skipped }) => (skipped ? message : 'done'),
            (error: unknown) => String(error),
          );
        expect(told).to.contain(text);
        expect(inUse()).to.deep.equal([5400]);
        expect(fact).to.equal(undefined);
      });
    }

    it('no range is watched any more: no port is told as used', async () => {
      map.content = { data: { '5400': 'the port already use' } };
      settings.portRanges = [];
      await tables({});
      expect(await jobOf(new FakeClock()).run(signal)).to.deep.equal({
        message: 'polardb4mpd-controller names no port range',
      });
      expect(inUse()).to.deep.equal([]);
      expect(fact).to.deep.equal({ used: [], ranges: [], ephemeral: [] });
    });

    it('a table that cannot be read: what was published stays', async () => {
      map.content = { data: { '5400': 'the port already use' } };
      await rm(join(proc, 'self/net'), { recursive: true });
      const error: unknown = await jobOf(new FakeClock())
        .run(signal)
        .catch((reason: unknown) => reason);
      expect(String(error)).to.contain('ENOENT');
      expect(inUse()).to.deep.equal([5400]);
    });
  });
});

/** The job has read its tables and waits. */
async function waiting(clock: FakeClock): Promise<void> {
  const end = performance.now() + 2_000;
  while (clock.pending === 0) {
    if (performance.now() > end) throw new Error('the job does not wait');
    await settle();
  }
}
