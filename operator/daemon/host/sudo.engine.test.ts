import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '../../kube/clock.ts';
import { silentLogger } from '../../kube/testing/support.ts';
import type { HostCommand } from './commands.ts';
import type { HostResult } from './host-exec.ts';
import { SshHostExec } from './ssh.ts';
import { ensureSshd, ensureSudo, RealSshd } from './testing/real-sshd.ts';

const run = promisify(execFile);
const DOCS = join(import.meta.dirname, '../../../docs/concepts/hosts.md');
/** As the docs call it. */
const ACCOUNT = 'polardb';

/** A host of its own as far as files go: what is written into these two is seen by this sshd alone, and gone with it. */
const privateHost = (rules: string): string => `
mount -t tmpfs none /mnt
for dir in etc usr; do
  mkdir /mnt/$dir /mnt/$dir.work
  mount -t overlay none -o lowerdir=/$dir,upperdir=/mnt/$dir,workdir=/mnt/$dir.work /$dir
done
useradd --no-create-home --home-dir / --shell /bin/sh --password '*' ${ACCOUNT}
install -m 440 ${rules} /etc/sudoers.d/polardb-stack
printf '#!/bin/sh\necho "$(id -un): multipathd $*"\n' >/usr/sbin/multipathd
printf '#!/bin/sh\ntrap "" TERM; while :; do sleep 0.0375; done\n' >/usr/bin/ipmitool
chmod 755 /usr/sbin/multipathd /usr/bin/ipmitool
exec "$@"`;

describe('host commands of an account that is not root, set up as the docs say', function () {
  this.timeout(60_000);
  let directory: string;
  let sshd: RealSshd;
  let exec: SshHostExec;
  let docs: string;

  before(async () => {
    await ensureSshd();
    await ensureSudo();
    docs = await readFile(DOCS, 'utf8');
    directory = await mkdtemp(join(tmpdir(), 'sudo-'));
    const rules = join(directory, 'sudoers');
    const [, lines = ''] = /^# \/etc\/sudoers\.d\/polardb-stack\n([^`]+)```/m.exec(docs) ?? [];
    expect(lines).to.match(/^polardb ALL=.*\nDefaults:polardb /);
    await writeFile(rules, lines);
    const enter = ['unshare', '--mount', 'sh', '-ec', privateHost(rules), 'sh'] as const;
    sshd = await RealSshd.make({ enter });
    const [options = ''] = /^restrict,from=\S+/m.exec(docs) ?? [];
    const file = sshd.path('authorized_keys');
    await writeFile(file, `${options} ${await readFile(file, 'utf8')}`);
    await run('chmod', ['-R', 'a+rX', sshd.directory]);
    await run('chmod', ['600', sshd.path('host_key')]);
    await writeFile(sshd.path('known_hosts'), await sshd.knownAs('node-1'));
    await sshd.start();
    exec = new SshHostExec({
      host: 'node-1',
      nodeAddress: () => undefined,
      settings: () => ({ isSshOn: true, sshUser: ACCOUNT, sshd: { address: '127.0.0.1', port: sshd.port } }),
      files: { key: sshd.path('key'), knownHosts: sshd.path('known_hosts') },
      clock: systemClock,
      random: () => 0.5,
      log: silentLogger,
    });
  });
  after(async () => {
    exec.close();
    await sshd.remove();
    await rm(directory, { recursive: true });
  });

  const ask = async (command: HostCommand): Promise<HostResult> => exec.run(command);

  it('need no root for addresses, and get it for multipathd', async () => {
    const addresses = await ask({ name: 'addresses', card: 'lo' });
    expect(addresses).to.include({ kind: 'exit', code: 0 });
    expect(await ask({ name: 'multipaths' })).to.deep.equal({
      ...{ kind: 'exit', code: 0, stderr: '' },
      stdout: 'root: multipathd show maps json\n',
    });
  });

  it('are ended by the host when they hang, also what root runs and what does not want to end', async () => {
    expect(await ask({ name: 'bmcAddress' })).to.include({ kind: 'timeout' });
    const { stdout } = await run('pgrep', ['-f', 'sleep 0.0375']).catch(() => ({ stdout: '' }));
    expect(stdout).to.equal('');
  });

  it('are all that the account may: no other words, and no program of its own choice', async () => {
    const own = join(directory, 'multipathd');
    await writeFile(own, '#!/bin/sh\necho the choice of the account\n', { mode: 0o755 });
    await run('chmod', ['755', directory]);
    const [pid] = await sshd.pids();
    const asAccount = (line: string): Promise<string> =>
      run('nsenter', ['--target', String(pid), '--mount', 'su', '--shell', '/bin/sh', '--command', line, ACCOUNT]).then(
        ({ stdout }) => stdout,
        (error: unknown) => (error as { stderr: string }).stderr,
      );
    const allowed = 'sudo -n timeout -k 2 10 multipathd show maps json';
    expect(await asAccount(`PATH=${directory}:/usr/bin:/bin ${allowed}`)).to.equal('root: multipathd show maps json\n');
    for (const other of [
      'sudo -n id',
      'sudo -n timeout -k 2 10 sh',
      'sudo -n timeout -k 2 10 multipathd show maps json raw',
      'sudo -n timeout -k 2 10 multipathd del map x',
      'sudo -n timeout -k 2 99 multipathd show maps json',
      'sudo -n multipathd show maps json',
      `sudo -n ${own}`,
    ]) {
      expect(await asAccount(other), other).to.match(/^sudo: a password is required/m);
    }
  });
});
