import { expect } from 'chai';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '../../kube/testing/fake-clock.ts';
import type { AccountSettings } from './account.ts';
import type { HostResult } from './host-exec.ts';
import { SshHostExec } from './ssh.ts';
import { FakeSshd, finish, newKeyPair, type KeyPair } from './testing/fake-sshd.ts';

const eventually = async (holds: () => boolean): Promise<void> => {
  const end = Date.now() + 5_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error('it did not come');
    await new Promise(resolve => setTimeout(resolve, 5));
  }
};

const kindOf = ({ kind }: HostResult): string => kind;
const textOf = (result: HostResult): string =>
  result.kind === 'lost' ? result.cause.message : result.kind === 'off' ? result.why : '';

describe('SshHostExec', () => {
  const CARD = { name: 'addresses', card: 'bond1' } as const;
  let hostKey: KeyPair;
  let otherKey: KeyPair;
  let account: KeyPair;
  let directory: string;
  let sshd: FakeSshd;
  let clock: FakeClock;
  let settings: AccountSettings;
  let nodeAddress: string | undefined;
  let exec: SshHostExec;
  const warnings: string[] = [];

  const write = (name: string, text: string): Promise<void> => writeFile(join(directory, name), text);

  before(() => {
    [hostKey, otherKey, account] = [newKeyPair(), newKeyPair(), newKeyPair()];
  });
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'host-exec-'));
    await write('key', account.privateKey);
    await write('known_hosts', `node-1 ${hostKey.publicKey}\n`);
    sshd = new FakeSshd(hostKey);
    await sshd.start();
    clock = new FakeClock();
    settings = { isSshOn: true, sshUser: 'root', sshd: { address: '127.0.0.1', port: sshd.port } };
    nodeAddress = undefined;
    warnings.length = 0;
    const silent = (): void => undefined;
    exec = new SshHostExec({
      host: 'node-1',
      nodeAddress: () => nodeAddress,
      settings: () => settings,
      files: { key: join(directory, 'key'), knownHosts: join(directory, 'known_hosts') },
      clock,
      random: () => 0.5,
      log: { debug: silent, info: silent, error: silent, warn: message => void warnings.push(message) },
    });
  });
  afterEach(async () => {
    exec.close();
    await sshd.stop();
    await rm(directory, { recursive: true });
  });

  it('runs the words of the table, ended by the host itself, over one connection', async () => {
    expect(await exec.run(CARD)).to.deep.equal({ kind: 'exit', code: 0, stdout: 'done\n', stderr: '' });
    await exec.run({ name: 'bmcAddress' });
    expect(sshd.lines).to.deep.equal([
      'env LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin timeout -k 2 2 ip -json -details address show dev bond1',
      'env LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin timeout -k 2 10 ipmitool lan print 1',
    ]);
    expect(sshd.logins).to.equal(1);
  });

  it('asks for root by sudo only where a command needs it', async () => {
    settings.sshUser = 'polardb';
    await exec.run({ name: 'multipaths' });
    await exec.run(CARD);
    expect(sshd.lines[0]).to.include(' sudo -n timeout -k 2 10 multipathd show maps json');
    expect(sshd.lines[1]).not.to.include('sudo');
  });

  it('tells an exit code from a connection', async () => {
    sshd.shell = (_line, channel) => finish(channel, { stderr: 'no such device', code: 1 });
    expect(await exec.run(CARD)).to.deep.equal({ kind: 'exit', code: 1, stdout: '', stderr: 'no such device' });
    sshd.shell = () => sshd.cut();
    expect(await exec.run(CARD).then(kindOf)).to.equal('lost');
  });

  it('gives the end by a signal the code of a shell', async () => {
    sshd.shell = (_line, channel) => {
      channel.exit('KILL');
      channel.end();
    };
    expect(await exec.run(CARD)).to.include({ kind: 'exit', code: 137 });
  });

  it('decodes characters that lie across two messages', async () => {
    const bytes = Buffer.from('网卡'.repeat(100_000));
    sshd.shell = (_line, channel) => finish(channel, { stdout: bytes });
    const result = await exec.run(CARD);
    expect(result.kind === 'exit' && result.stdout === bytes.toString()).to.equal(true);
  });

  it('takes no more output than a table has', async () => {
    sshd.shell = (_line, channel) => {
      const more = (): void => {
        while (!channel.destroyed && channel.write(Buffer.alloc(65_536)));
      };
      channel.on('drain', more);
      more();
    };
    expect(await exec.run(CARD).then(textOf)).to.match(/more than \d+ bytes/);
    sshd.shell = (_line, channel) => finish(channel, {});
    expect(await exec.run(CARD).then(kindOf)).to.equal('exit');
  });

  it('says timeout when the host ended the command', async () => {
    sshd.shell = (_line, channel) => {
      void clock.advance(2_000);
      finish(channel, { code: 124 });
    };
    expect(await exec.run(CARD)).to.include({ kind: 'timeout' });
    expect(await exec.run(CARD).then(kindOf)).to.equal('timeout');
    expect(sshd.logins).to.equal(1);
  });

  it('says timeout when a frozen host answers nothing, and connects anew', async () => {
    sshd.shell = () => undefined;
    const first = exec.run(CARD);
    await eventually(() => sshd.lines.length === 1);
    await clock.advance(6_000);
    expect(await first).to.deep.equal({ kind: 'timeout', afterMs: 6_000 });
    sshd.shell = (_line, channel) => finish(channel, {});
    expect(await exec.run(CARD).then(kindOf)).to.equal('exit');
    expect(sshd.logins).to.equal(2);
  });

  it('ends early when it is called off, and the connection stays', async () => {
    sshd.shell = () => undefined;
    const abort = new AbortController();
    const first = exec.run(CARD, abort.signal);
    await eventually(() => sshd.lines.length === 1);
    abort.abort(new Error('the daemon ends'));
    expect(await first.then(textOf)).to.equal('the daemon ends');
    await eventually(() => sshd.channels === 0);
    sshd.shell = (_line, channel) => finish(channel, {});
    expect(await exec.run(CARD).then(kindOf)).to.equal('exit');
    expect(sshd.logins).to.equal(1);
  });

  it('lives through a cut between two commands, and through a killed sshd', async () => {
    await exec.run(CARD);
    sshd.cut();
    await eventually(() => sshd.connections.size === 0);
    await eventually(() => clock.now() === 0);
    const port = sshd.port;
    await sshd.stop();
    expect(await exec.run(CARD).then(textOf)).to.match(/no SSH connection to 127.0.0.1 port \d+: .*ECONNREFUSED/);
    sshd = new FakeSshd(hostKey);
    await sshd.start(port);
    expect(await exec.run(CARD).then(textOf), 'the pause after a failure').to.match(/ECONNREFUSED/);
    await clock.advance(250);
    expect(await exec.run(CARD).then(kindOf)).to.equal('exit');
  });

  it('opens one connection for many, and no more channels than a host allows', async () => {
    const held: (() => void)[] = [];
    sshd.shell = (_line, channel) => void held.push(() => finish(channel, {}));
    const all = Array.from({ length: 30 }, () => exec.run(CARD));
    for (let i = 0; i < 30; i++) {
      await eventually(() => held.length > 0);
      held.shift()?.();
    }
    expect((await Promise.all(all)).map(kindOf)).to.deep.equal(Array(30).fill('exit'));
    expect([sshd.logins, sshd.peakChannels <= 8]).to.deep.equal([1, true]);
  });

  it('refuses what would wait too long', async () => {
    sshd.shell = () => undefined;
    const all = Array.from({ length: 41 }, () => exec.run(CARD));
    expect(await Promise.race(all).then(textOf)).to.equal('too many host commands wait');
    await eventually(() => sshd.lines.length === 8);
    const state = { isOver: false };
    const results = Promise.all(all).finally(() => (state.isOver = true));
    while (!state.isOver) {
      await clock.advance(6_000);
      await new Promise(resolve => setTimeout(resolve, 5));
    }
    // The first one that is given up ends the connection, and so the others.
    expect((await results).map(kindOf))
      .to.include('timeout')
      .and.not.include('exit');
  });

  it('survives a host that opens no channel', async () => {
    sshd.mostChannels = 0;
    expect(await exec.run(CARD).then(kindOf)).to.equal('lost');
    sshd.mostChannels = 10;
    expect(await exec.run(CARD).then(kindOf)).to.equal('exit');
    expect(sshd.logins).to.equal(1);
  });

  it('trusts only a known host key, and says which one it saw', async () => {
    await write('known_hosts', `node-1 ${otherKey.publicKey}\nnode-2 ${hostKey.publicKey}\n`);
    expect(await exec.run(CARD).then(textOf)).to.match(/shows the key SHA256:.{43}, which known_hosts does not have/);
    expect(sshd.logins).to.equal(0);
    await write('known_hosts', `node-1 ${hostKey.publicKey}\n`);
    expect(await exec.run(CARD).then(kindOf), 'without a pause once known_hosts is another').to.equal('exit');
  });

  const off: [string, () => Promise<void>, RegExp][] = [
    ['is switched off', () => Promise.resolve(void (settings.isSshOn = false)), /switched off/],
    ['has no account', () => Promise.resolve(void (settings.sshUser = '-oProxyCommand=x')), /no name of an account/],
    ['has no key', () => rm(join(directory, 'key')), /no private key/],
    [
      'is to be asked at the address of a node that says none',
      () => Promise.resolve(void (settings.sshd = { ...settings.sshd, address: 'InternalIP' })),
      /the node says no InternalIP/,
    ],
    ['has no known host key', () => rm(join(directory, 'known_hosts')), /no known_hosts/],
  ];
  for (const [what, change, says] of off) {
    it(`is off when it ${what}, and on again at once`, async () => {
      await change();
      const result = await exec.run(CARD);
      expect(result.kind).to.equal('off');
      expect(textOf(result)).to.match(says);
      settings = { isSshOn: true, sshUser: 'root', sshd: { address: '127.0.0.1', port: sshd.port } };
      await write('key', account.privateKey);
      await write('known_hosts', `node-1 ${hostKey.publicKey}\n`);
      expect(await exec.run(CARD).then(kindOf)).to.equal('exit');
    });
  }

  it('asks where the site says that sshd listens', async () => {
    const { port } = sshd;
    settings.sshd = { address: '127.0.0.1', port: 1 };
    expect(await exec.run(CARD).then(textOf)).to.match(/^no SSH connection to 127\.0\.0\.1 port 1: /);
    nodeAddress = '127.0.0.1';
    settings.sshd = { address: 'InternalIP', port };
    expect(await exec.run(CARD).then(kindOf), 'without a pause').to.equal('exit');
  });

  it('says what is wrong with a key that cannot be read', async () => {
    await write('key', 'nonsense');
    expect(await exec.run(CARD).then(textOf)).to.match(/^the private key cannot be read/);
  });
});
