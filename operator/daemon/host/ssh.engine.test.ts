import { expect } from 'chai';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { systemClock } from '../../kube/clock.ts';
import { silentLogger } from '../../kube/testing/support.ts';
import type { HostResult } from './host-exec.ts';
import { SshHostExec } from './ssh.ts';
import { ensureSshd, RealSshd } from './testing/real-sshd.ts';

const CARD = { name: 'addresses', card: 'lo' } as const;

const textOf = (result: HostResult): string =>
  result.kind === 'exit' ? result.stdout : result.kind === 'lost' ? result.cause.message : result.kind;

/** In place of `ip` the host does something else; what is in front of it, time limit and environment, stays. */
const inPlaceOfIp = (script: string): string =>
  `ForceCommand sh -c 'eval "$(printf %s "$SSH_ORIGINAL_COMMAND" | sed "s| ip -json.*| ${script}|")"'`;

describe('SshHostExec with a real sshd', function () {
  this.timeout(60_000);
  let sshd: RealSshd;
  let exec: SshHostExec;

  const recovered = async (): Promise<HostResult> => {
    const end = Date.now() + 3_000;
    for (;;) {
      const result = await exec.run(CARD);
      if (result.kind === 'exit' || Date.now() > end) return result;
      await new Promise(resolve => setTimeout(resolve, 50));
    }
  };
  const know = async (): Promise<void> => writeFile(sshd.path('known_hosts'), await sshd.knownAs('node-1'));

  before(ensureSshd);
  beforeEach(async () => {
    sshd = await RealSshd.make();
    await know();
    exec = new SshHostExec({
      host: 'node-1',
      nodeAddress: () => undefined,
      settings: () => ({ isSshOn: true, sshUser: 'root', sshd: { address: '127.0.0.1', port: sshd.port } }),
      files: { key: sshd.path('key'), knownHosts: sshd.path('known_hosts') },
      clock: systemClock,
      random: () => 0.5,
      log: silentLogger,
    });
  });
  afterEach(async () => {
    exec.close();
    await sshd.remove();
  });

  it('gets what the programs of the host say', async () => {
    await sshd.start();
    const addresses = await exec.run(CARD);
    expect(addresses).to.include({ kind: 'exit', code: 0 });
    expect(JSON.parse((addresses as { stdout: string }).stdout)).to.have.nested.property('[0].ifname', 'lo');
    const missing = await exec.run({ name: 'addresses', card: 'nocard0' });
    expect(missing).to.include({ kind: 'exit', code: 1, stdout: '' });
    expect((missing as { stderr: string }).stderr).to.match(/does not exist/);
  });

  it('runs more commands than one connection has sessions', async () => {
    await sshd.start();
    const results = await Promise.all(Array.from({ length: 24 }, () => exec.run(CARD)));
    expect(new Set(results.map(({ kind }) => kind))).to.deep.equal(new Set(['exit']));
    expect(await established(sshd.port)).to.equal(1);
  });

  it('has the host itself end a command that hangs, and leaves nothing running', async () => {
    await sshd.start(inPlaceOfIp('sleep 600.125'));
    const since = Date.now();
    expect(await exec.run(CARD)).to.include({ kind: 'timeout' });
    expect(Date.now() - since).to.be.least(2_000);
    await gone('600.125');
    expect(await established(sshd.port), 'the connection is well').to.equal(1);
  });

  it('has it killed when it does not want to end', async () => {
    await sshd.start(inPlaceOfIp('sh -c \\"trap : TERM; while :; do sleep 0.0625; done\\"'));
    expect(await exec.run(CARD)).to.include({ kind: 'timeout' });
    await gone('0.0625');
  });

  it('does not wait for a host that is frozen, and goes on when it thaws', async () => {
    await sshd.start();
    await exec.run(CARD);
    await sshd.signal('SIGSTOP');
    const since = Date.now();
    expect((await exec.run(CARD)).kind).to.be.oneOf(['timeout', 'lost']);
    expect(Date.now() - since).to.be.below(8_000);
    await sshd.signal('SIGCONT');
    expect(await recovered()).to.include({ kind: 'exit', code: 0 });
  });

  it('says that the connection was lost, not that the command failed', async () => {
    await sshd.start(inPlaceOfIp('sleep 600.25'));
    await exec.run({ name: 'multipaths' });
    const running = exec.run(CARD);
    const end = Date.now() + 5_000;
    while ((await processesWith('600.25')).length === 0) expect(Date.now(), 'the command runs').to.be.below(end);
    const [listener, ...others] = await sshd.pids();
    expect(listener).to.be.a('number');
    for (const pid of others) process.kill(pid, 'SIGKILL');
    expect(await running).to.include({ kind: 'lost' });
  });

  it('finds a killed sshd again when it is back', async () => {
    await sshd.start();
    await exec.run(CARD);
    await sshd.stop();
    expect(textOf(await exec.run(CARD))).to.match(/ECONNREFUSED|broke|closed|ECONNRESET|Not connected/);
    expect(textOf(await exec.run(CARD))).to.match(/ECONNREFUSED/);
    await sshd.start();
    expect(await recovered()).to.include({ kind: 'exit', code: 0 });
  });

  it('refuses a host whose key changed, until somebody makes the new one known', async () => {
    await sshd.start();
    await exec.run(CARD);
    await sshd.stop();
    await sshd.newKey('host_key');
    await sshd.start();
    const end = Date.now() + 3_000;
    let text = '';
    while (!text.includes('known_hosts') && Date.now() < end) text = textOf(await exec.run(CARD));
    expect(text).to.match(/^the host shows the key SHA256:\S+, which known_hosts does not have for node-1$/);
    await know();
    expect(await exec.run(CARD)).to.include({ kind: 'exit', code: 0 });
  });

  it('says that the account does not take the key, and takes a new one at once', async () => {
    await sshd.newKey('other');
    await sshd.letIn('other');
    await sshd.start();
    expect(textOf(await exec.run(CARD))).to.equal('the host does not let the account root in with this key');
    await writeFile(sshd.path('key'), await readFile(sshd.path('other'), 'utf8'));
    expect(await exec.run(CARD)).to.include({ kind: 'exit', code: 0 });
  });
});

/** Connections to a port of this machine, as its own table has them. */
async function established(port: number): Promise<number> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const lines = (await readFile('/proc/net/tcp', 'utf8')).split('\n');
  return lines.filter(line => new RegExp(`^\\s*\\d+: [0-9A-F]+:${hex} [0-9A-F:]+ 01 `).test(line)).length;
}

/** Fails when one stays. */
async function gone(words: string): Promise<void> {
  const end = Date.now() + 5_000;
  while ((await processesWith(words)).length > 0) expect(Date.now(), `a process with ${words}`).to.be.below(end);
}

/** Processes with these words in their command line. */
async function processesWith(words: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map(pid => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return pids.filter((_pid, i) => lines[i]?.replaceAll('\0', ' ').includes(words)).map(Number);
}
