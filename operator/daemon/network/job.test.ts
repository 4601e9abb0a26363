import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { NetworkInterfaceInfo } from 'node:os';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { FakeClock, settle } from '../../kube/testing/fake-clock.ts';
import { HostFacts } from '../facts.ts';
import type { HostCommand } from '../host/commands.ts';
import type { HostResult } from '../host/host-exec.ts';
import { readDaemonSettings, type DaemonSettings } from '../settings.ts';
import { NetworkJob } from './job.ts';
import { oobOf, OobWatch } from './oob.ts';

const exit = (stdout: string, code = 0, stderr = ''): HostResult => ({ kind: 'exit', code, stdout, stderr });
const LAN = 'IP Address Source       : Static Address\nIP Address              : 10.9.0.5\nSubnet Mask : 255.0.0.0\n';
const IP = JSON.stringify([
  {
    ifname: 'bond1',
    addr_info: [
      { family: 'inet', local: '10.0.0.9', prefixlen: 24, secondary: true },
      { family: 'inet', local: '10.0.0.5', prefixlen: 24 },
    ],
  },
]);

describe('NetworkJob', () => {
  let sys: string;
  let clock: FakeClock;
  let facts: HostFacts;
  let asked: HostCommand[];
  let answers: Record<string, HostResult>;
  let addresses: string[];
  let settings: DaemonSettings;
  let job: NetworkJob;
  let left: number;
  beforeEach(() => {
    sys = mkdtempSync(join(tmpdir(), 'network-'));
    for (const card of ['bond1', 'eth0']) {
      mkdirSync(join(sys, 'class/net', card), { recursive: true });
      writeFileSync(join(sys, 'class/net', card, 'operstate'), 'up');
    }
    clock = new FakeClock();
    facts = new HostFacts(clock);
    asked = [];
    answers = { addresses: exit(IP), bmcAddress: exit(LAN) };
    addresses = ['10.0.0.5/24'];
    settings = readDaemonSettings({ network: undefined, controller: undefined, ports: undefined, versions: [] });
    const interfaces = (): NodeJS.Dict<NetworkInterfaceInfo[]> => ({
      bond1: addresses.map(cidr => ({ cidr, address: cidr.split('/')[0], family: 'IPv4' }) as NetworkInterfaceInfo),
    });
    const run = (command: HostCommand): Promise<HostResult> => {
      asked.push(command);
      return Promise.resolve(answers[command.name]!);
    };
    const options = { facts, host: { run }, proc: sys, sys, clock, random: () => 0.5, interfaces };
    left = 0;
    job = new NetworkJob({ ...options, leave: () => left++, settings: () => settings, published: () => undefined });
  });
  afterEach(() => rmSync(sys, { recursive: true }));

  const look = async () => {
    const { message } = await job.run(new AbortController().signal);
    await settle();
    return { message, fact: facts.get('network')!.fact };
  };

  it('needs no host command for a card with one address', async () => {
    expect((await look()).message).to.equal('bond1 is up, clients use 10.0.0.5');
    expect(asked).to.deep.equal([]);
  });

  it('asks the host which of several comes first, once for each thing that is seen', async () => {
    addresses = ['10.0.0.9/24', '10.0.0.5/24'];
    expect((await look()).fact).to.deep.include({ clientIp: '10.0.0.5', gaps: [] });
    await look();
    expect(asked).to.have.length(1);
    addresses = ['10.0.0.9/24', '10.0.0.5/24', '10.0.0.6/24'];
    await look();
    expect(asked).to.have.length(2);
  });

  it('does with what it sees when the host does not tell, says so, and asks at each look until it does', async () => {
    addresses = ['10.0.0.9/24', '10.0.0.5/24'];
    answers['addresses'] = { kind: 'lost', cause: new Error('connection refused') };
    expect((await look()).fact).to.deep.include({
      clientIp: '10.0.0.9',
      gaps: ['addresses of bond1: connection refused'],
    });
    answers['addresses'] = exit(IP);
    expect((await look()).fact.gaps).to.deep.equal([]);
    await look();
    expect(asked).to.have.length(2);
  });

  it('asks at each look at a card that is down: its addresses are not seen', async () => {
    writeFileSync(join(sys, 'class/net/bond1/operstate'), 'down');
    addresses = [];
    expect((await look()).fact.clientIp).to.equal('10.0.0.5');
    answers['addresses'] = exit(IP.replace('10.0.0.5', '10.0.0.6'));
    expect((await look()).fact.clientIp).to.equal('10.0.0.6');
  });

  it('waits a second for a host that hangs, and takes its answer when it comes', async () => {
    addresses = ['10.0.0.9/24', '10.0.0.5/24'];
    let answer: (result: HostResult) => void = () => undefined;
    answers['addresses'] = new Promise<HostResult>(resolve => (answer = resolve)) as never;
    for (let n = 0; n < 3; n++) {
      const looked = look();
      while (clock.pending === 0) await settle();
      await clock.advance(1_000);
      expect((await looked).fact.gaps).to.deep.equal(['addresses of bond1: the host has not answered yet']);
    }
    expect(asked).to.have.length(1);
    answer(exit(IP));
    expect((await look()).fact.gaps).to.deep.equal([]);
    expect(asked).to.have.length(1);
  });

  it('follows the settings: another card from the next look on', async () => {
    await look();
    settings = { ...settings, card: 'eth0' };
    const { fact, message } = await look();
    expect(fact).to.deep.include({ card: 'eth0', addresses: [] });
    expect(message).to.equal('eth0 is up, no address');
    settings = { ...settings, card: 'bond9' };
    expect((await look()).message).to.equal('bond9 is not there, no address');
  });

  it('leaves the host, and asks anew, when the site names another account or none', async () => {
    addresses = ['10.0.0.9/24', '10.0.0.5/24'];
    await look();
    await look();
    expect([asked.length, left]).to.deep.equal([1, 0]);
    settings = { ...settings, sshUser: 'polardb' };
    await look();
    expect([asked.length, left]).to.deep.equal([2, 1]);
    settings = { ...settings, isSshOn: false };
    answers['addresses'] = { kind: 'off', why: 'switched off' };
    expect((await look()).fact.gaps).to.deep.equal(['addresses of bond1: switched off']);
    expect(left).to.equal(2);
  });

  it('asks for the management controller only when that is switched on, once an hour, and holds nothing up', async () => {
    await look();
    settings = { ...settings, isOobOn: true };
    expect((await look()).fact.oob).to.equal(undefined);
    expect((await look()).fact.oob).to.deep.equal({ ip: '10.9.0.5' });
    await clock.advance(3_599_000);
    await look();
    expect(asked).to.have.length(1);
    await clock.advance(1_000);
    await look();
    expect(asked).to.have.length(2);
  });

  it('asks less and less often where there is none', async () => {
    settings = { ...settings, isOobOn: true };
    answers['bmcAddress'] = exit('', 1, 'Could not open device');
    const at: number[] = [];
    for (let n = 0; n < 12 * 60; n++) {
      const before = asked.length;
      await look();
      if (asked.length > before) at.push(n);
      await clock.advance(60_000);
    }
    expect(at.slice(0, 6)).to.deep.equal([0, 1, 3, 7, 15, 31]);
    expect(at.length).to.be.below(20);
    expect((await look()).fact.oob).to.deep.equal({ error: 'Could not open device' });
  });
});

describe('OobWatch', () => {
  it('has the address with the next look once the way to the host is open again', async () => {
    let result: HostResult = { kind: 'lost', cause: new Error('no SSH connection') };
    const host = { run: () => Promise.resolve(result) };
    const watch = new OobWatch({ host, clock: new FakeClock(), random: () => 0.5 });
    const look = async (): Promise<unknown> => {
      watch.look();
      await settle();
      return watch.look();
    };
    expect(await look()).to.deep.equal({ error: 'no SSH connection' });
    await settle();
    result = { kind: 'off', why: 'no key' };
    expect(await look()).to.deep.equal({ error: 'no key' });
    await settle();
    result = exit(LAN);
    expect(await look()).to.deep.equal({ ip: '10.9.0.5' });
  });
});

describe('oobOf', () => {
  for (const [what, result, fact] of [
    ['an address', exit(LAN), { ip: '10.9.0.5' }],
    ['none set', exit('IP Address : 0.0.0.0\n'), { error: 'the management controller has no address' }],
    ['other text', exit('hello'), { error: 'the management controller has no address' }],
    ['no ipmitool', exit('', 127), { error: 'exit code 127' }],
    ['a time-out', { kind: 'timeout', afterMs: 10_000 }, { error: 'no answer within 10000 ms' }],
    ['switched off', { kind: 'off', why: 'enableSsh' }, { error: 'enableSsh' }],
  ] as const) {
    it(what, () => expect(oobOf(result)).to.deep.equal(fact));
  }
});
