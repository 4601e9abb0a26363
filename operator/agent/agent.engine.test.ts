import { expect } from 'chai';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AgentError } from '../agent-api/errors.ts';
import { hashSettings } from '../agent-api/hash.ts';
import {
  connect,
  createRo,
  createRw,
  done,
  grantTo,
  promote,
  revokeNow,
  SETTINGS,
  upstreamOf,
} from './testing/cluster.ts';
import { HELPERS } from './testing/helpers.ts';
import { eventually } from './testing/namespace.ts';
import { Site, type Pod } from './testing/pod.ts';

const PASSWORD = 'Sw0rdfish-plain-text';
const refusal = (error: unknown): AgentError => error as AgentError;
const code = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'accepted',
    (error: unknown) => refusal(error).code,
  );

describe('agent (real PostgreSQL, real PID namespaces)', function () {
  this.timeout(60_000);
  let site: Site;
  let rw: Pod;
  let ro: Pod;
  let incarnation: string;

  before(async () => {
    site = await Site.open();
    rw = await site.pod('1001');
    ro = await site.pod('1002');
  });
  after(() => site.close());

  const command = () => site.command(incarnation);
  const rowsOf = async (pod: Pod): Promise<number> => {
    const client = await connect(site, pod, 'app', PASSWORD);
    const { rows } = await client.query<{ n: string }>('SELECT count(*) AS n FROM t').finally(() => client.end());
    return Number(rows[0]?.n);
  };

  it('makes nothing and starts nothing before the record says so', async () => {
    incarnation = await rw.start();
    const task = { kind: 'initialize', settings: SETTINGS } as const;
    const early = await rw.client.install({ command: command(), task, waitMs: 5_000 });
    expect(early.error?.code).to.equal('NoRight');
    expect(await rw.client.state()).to.deep.include({ volume: { state: 'blank' } });
    await rw.kill();
  });

  it('runs no engine in a PID namespace whose end would not be its own', async () => {
    const other = await site.pod('1003');
    const alone = await other.start([HELPERS.busybox, 'sh', '-c', '"$@"; true', 'init']);
    const start = { command: site.command(alone), role: 'ro', settings: {}, waitMs: 5_000 } as const;
    expect((await other.client.start(start)).error?.code).to.equal('UnsafePod');
    const promote = { command: site.command(alone), waitMs: 5_000 };
    expect((await other.client.promote(promote)).error?.code).to.equal('UnsafePod');
    await other.kill();
  });

  it('creates an RW: record, initdb, grant, promote', async () => {
    incarnation = await createRw(site, rw);
    const state = await rw.client.state();
    expect(state.volume).to.include({
      state: 'initialized',
      clusterUid: 'cluster-uid-1',
      epoch: 1,
      holder: incarnation,
    });
    expect(state.process).to.include({ state: 'running', role: 'rw' });
    expect(state.facts).to.include({ role: 'rw', acceptsWrites: true, timeline: 1 });
    expect(state.right).to.deep.equal({ holds: true, kind: 'alone', unbounded: true });
    expect(state.settingsHash).to.equal(hashSettings(SETTINGS));
    expect(state).to.not.have.property('stopped');
    expect(await health(rw, 'readyz')).to.equal(200);
  });

  it('reads nothing while it is idle', async () => {
    const { reads } = site.api;
    const began = Date.now();
    await eventually('longer than members look, without a read', () => {
      expect(site.api.reads).to.equal(reads);
      return Date.now() - began > 1_500;
    });
  });

  it('makes accounts and databases, once', async () => {
    const account = { name: 'app', password: PASSWORD, level: 1 } as const;
    expect(await rw.client.account({ command: command(), ...account })).to.deep.equal({ created: true });
    expect(await rw.client.account({ command: command(), ...account })).to.deep.equal({ created: false });
    const database = { name: 'or"ders', owner: 'app' };
    expect(await rw.client.database({ command: command(), ...database })).to.deep.equal({ created: true });
    expect(await rw.client.database({ command: command(), ...database })).to.deep.equal({ created: false });
    expect(await code(rw.client.database({ command: command(), name: 'x', owner: 'nobody there' }))).to.equal(
      'Refused',
    );
    for (const level of [6, 7] as const) {
      await rw.client.account({ command: command(), name: `level ${level}`, password: PASSWORD, level });
    }
    const client = await connect(site, rw, 'app', PASSWORD);
    await client.query('GRANT ALL ON SCHEMA public TO app').catch(() => undefined);
    await client.end();
    const superuser = await connect(site, rw, 'level 7', PASSWORD);
    await superuser.query('CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); GRANT ALL ON t TO app');
    await superuser.end();
    expect(await rowsOf(rw)).to.equal(1);
  });

  it('takes settings and tells which wait for a restart', async () => {
    const settings = { ...SETTINGS, work_mem: '8MB', max_connections: '25' };
    const result = await rw.client.settings({ command: command(), settings });
    expect(result).to.deep.include({ needRestart: ['max_connections'], settingsHash: hashSettings(settings) });
    const wrong = rw.client.settings({ command: command(), settings: { work_mem: 'much' } });
    expect(await wrong.catch(refusal)).to.include({ code: 'Refused', field: 'settings.work_mem' });
    done(await rw.client.restart({ command: command(), waitMs: 20_000 }));
    expect((await rw.client.state()).facts?.pendingRestart).to.deep.equal([]);
    await rw.client.settings({ command: command(), settings: SETTINGS });
    done(await rw.client.restart({ command: command(), waitMs: 20_000 }));
  });

  it('a follower joins and streams', async () => {
    await createRo(site, rw, ro);
    await eventually('streaming', async () => (await ro.client.state()).facts?.streaming);
    expect(await rowsOf(ro)).to.equal(1);
    expect(await health(ro, 'readyz')).to.equal(200);
    const client = await connect(site, rw, 'level 7', PASSWORD);
    const { rows } = await client.query<{ application_name: string }>(
      'SELECT application_name FROM pg_stat_replication',
    );
    await client.end();
    expect(rows[0]?.application_name).to.equal((await ro.client.state()).incarnation);
  });

  it('restarts the engine in place when the postmaster is killed, after every backend is gone', async () => {
    const client = await connect(site, rw, 'level 7', PASSWORD);
    // A server-side loop commits on without its postmaster: the case that makes /proc the only proof.
    const loop = 'DO $$ BEGIN LOOP INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING; COMMIT; END LOOP; END $$';
    void client.query(loop).catch(() => undefined);
    const before = rw.postmaster!;
    const backends = rw.members().filter(it => it.ppid === before);
    process.kill(before, 'SIGKILL');
    await eventually('another postmaster accepts writes', async () => {
      const state = await rw.client.state();
      return rw.postmaster !== before && state.facts?.acceptsWrites;
    });
    const after = new Set(rw.members().map(it => it.pid));
    expect(backends.filter(it => after.has(it.pid))).to.deep.equal([]);
    const { process: seen, right } = await rw.client.state();
    expect(seen).to.deep.include({ state: 'running', role: 'rw', crashes: 1 });
    expect(seen.exit).to.include({ signal: 'SIGKILL', wanted: false });
    expect(right.holds).to.equal(true);
  });

  it('refuses commands for others and of the past', async () => {
    const { client } = rw;
    expect(await code(client.demote({ command: { ...command(), clusterUid: 'other' } }))).to.equal('ForeignCluster');
    expect(await code(client.demote({ command: { ...command(), incarnation: '1001/x/0' } }))).to.equal(
      'WrongIncarnation',
    );
    const old = await client.demote({ command: { ...command(), epoch: 0 } }).catch(refusal);
    expect(old).to.deep.include({ code: 'StaleCommand', status: 409 });
    expect((old as AgentError).highest).to.include({ epoch: 1 });
    expect((await client.state()).process.state).to.equal('running');
  });

  it('does each request once', async () => {
    const again = command();
    const first = done(await rw.client.restart({ command: again, waitMs: 20_000 }));
    const postmaster = rw.postmaster;
    expect(await rw.client.restart({ command: again })).to.deep.equal(first);
    expect(rw.postmaster).to.equal(postmaster);
    expect(await code(rw.client.restart({ command: again, mode: 'kill' }))).to.equal('RequestIdReused');
  });

  it('demotes with proof, for the epoch of the command', async () => {
    // Else the follower misses the last WAL of a fast stop, and the timelines part.
    await eventually('streaming', async () => (await ro.client.state()).facts?.streaming);
    revokeNow(site);
    done(await rw.client.demote({ command: command(), waitMs: 20_000 }));
    const state = await rw.client.state();
    expect(state.stopped?.epoch).to.equal(2);
    // Clean, not killed: else the former RW could not follow without a rewind.
    expect(state.process.exit).to.include({ wanted: true, code: 0 });
    expect(state.right.holds).to.equal(false);
    expect(rw.members()).to.have.length(3);
    expect(await readdir(join(rw.config.paths.data, 'engine/pgdata'))).to.include('standby.signal');
    expect(await health(rw, 'readyz')).to.equal(503);
    const refused = await rw.client.promote({ command: command(), waitMs: 5_000 });
    expect(refused.error?.code).to.equal('NoRight');
  });

  it('promotes a running follower when the record names it', async () => {
    const follower = (await ro.client.state()).incarnation;
    const early = await ro.client.promote({ command: site.command(follower), waitMs: 5_000 });
    expect(early.error?.code).to.equal('NoRight');
    await promote(site, ro, follower);
    expect((await ro.client.state()).facts).to.include({ role: 'rw', acceptsWrites: true, timeline: 2 });
    expect(await rowsOf(ro)).to.equal(1);
  });

  it('the former RW follows', async () => {
    const successor = (await ro.client.state()).incarnation;
    const upstream = upstreamOf(ro, rw);
    await ro.client.slots({ command: site.command(successor), slots: [upstream.slot] });
    done(await rw.client.start({ command: command(), role: 'ro', upstream, settings: SETTINGS, waitMs: 20_000 }));
    await eventually('streaming', async () => (await rw.client.state()).facts?.streaming);
    expect((await rw.client.state()).facts).to.include({ role: 'ro', acceptsWrites: false });
  });

  it('a restarted container goes on as follower by itself', async () => {
    await rw.kill();
    incarnation = await rw.start();
    await eventually('streaming', async () => (await rw.client.state()).facts?.streaming);
  });

  it('a restarted container of an RW stays stopped until its new incarnation is granted', async () => {
    ro.signal('SIGKILL');
    await ro.ended();
    expect(ro.members()).to.deep.equal([]);
    const again = await ro.start();
    expect((await ro.client.state()).process.state).to.equal('stopped');
    expect((await ro.client.promote({ command: site.command(again), waitMs: 5_000 })).error?.code).to.equal('NoRight');
    revokeNow(site);
    grantTo(site, again);
    done(await ro.client.promote({ command: site.command(again), waitMs: 20_000 }));
    expect(await rowsOf(ro)).to.equal(1);
  });

  it('kills itself when a command tells of a revoke', async () => {
    const mine = (await ro.client.state()).incarnation;
    const ahead = { ...site.command(mine), epoch: 9 };
    await ro.client.settings({ command: ahead, settings: SETTINGS });
    const state = await eventually('stopped', async () => {
      const now = await ro.client.state();
      return now.stopped && now;
    });
    expect(state.stopped?.epoch).to.equal(9);
    expect(ro.postmaster).to.equal(undefined);
  });

  it('ends in order when the container is told to', async () => {
    rw.signal('SIGTERM');
    await rw.ended();
    expect(rw.output).to.match(/database system is shut down/);
  });

  it('stays small and keeps secrets to itself', async () => {
    const kib = await ro.memory();
    console.log(`      agent RSS ${(kib / 1024).toFixed(1)} MiB`);
    expect(kib / 1024).to.be.lessThan(80);
    const log = await readFile(join(ro.config.paths.log, 'engine.log'), 'utf8');
    for (const text of [rw.output, ro.output, log]) {
      expect(text).to.not.include(PASSWORD);
      expect(text).to.not.include('SCRAM-SHA-256');
    }
  });
});

async function health(pod: Pod, path: string): Promise<number> {
  return (await fetch(`http://127.0.0.1:${pod.config.ports.health}/${path}`)).status;
}
