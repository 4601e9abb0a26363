import { expect } from 'chai';
import { parseConninfo } from '../conf.ts';
import type { Upstream } from '../profile.ts';
import { baseBackupArgs, baseBackupProgress } from './basebackup.ts';

const upstream: Upstream = {
  host: 'a.test',
  address: '10.0.0.1',
  port: 5433,
  slot: 'slot_b',
  applicationName: 'b/1/2',
  passFile: "/run/it's",
};

describe('base backup', () => {
  it('verifies the RW, takes the password from a file and does not look like the member that streams', () => {
    const args = baseBackupArgs(upstream, '/ca.crt', '/data/pgdata');
    const conninfo = parseConninfo(args.find(arg => arg.startsWith('--dbname='))!.slice('--dbname='.length));
    expect(Object.fromEntries(conninfo)).to.deep.equal({
      host: 'a.test',
      hostaddr: '10.0.0.1',
      port: '5433',
      user: 'replicator',
      passfile: "/run/it's",
      application_name: 'polardb-stack base backup',
      sslmode: 'verify-full',
      sslrootcert: '/ca.crt',
      gssencmode: 'disable',
      connect_timeout: '5',
      tcp_user_timeout: '2000',
    });
  });

  for (const [what, wrong] of [
    ['slot', { slot: 'Slot-1' }],
    ['application name', { applicationName: 'x'.repeat(64) }],
  ] as const) {
    it(`refuses a ${what} that the engine would change`, () => {
      expect(() => baseBackupArgs({ ...upstream, ...wrong }, '/ca', '/d')).to.throw(what);
    });
  }

  for (const [line, progress] of [
    ['pg_basebackup: initiating base backup, waiting for checkpoint to complete', { phase: 'WaitingForCheckpoint' }],
    [
      '  1024/2048 kB (50%), 0/1 tablespace (...data/pgdata/base/5/2608   )',
      { phase: 'Copying', done: 1_048_576, total: 2_097_152 },
    ],
    ['pg_basebackup: syncing data to disk ...', { phase: 'Syncing' }],
    ['pg_basebackup: write-ahead log start point: 0/2000028 on timeline 1', undefined],
  ] as const) {
    it(line, () => {
      let seen: unknown;
      baseBackupProgress(step => (seen = step))(line);
      expect(seen).to.deep.equal(progress);
    });
  }
});
