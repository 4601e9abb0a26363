import { expect } from 'chai';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { quoteIdentifier, quoteLiteral } from '../sql.ts';
import type { Member } from '../testing/member.ts';
import { Bench, eventually, REPLICATOR_PASSWORD, SMALL } from '../testing/member.ts';

const ignore = () => undefined;

describe('PostgreSQL with a volume each (real engine)', function () {
  this.timeout(30_000);
  let bench: Bench;
  let a: Member;
  let b: Member;

  before(async () => {
    bench = await Bench.open();
    a = await bench.member('a');
    b = await bench.member('b');
    await a.profile.initialize({ settings: SMALL }, ignore);
  });
  after(() => bench.close());

  it('initializes a blank place once', async () => {
    const facts = await a.profile.look();
    expect(facts).to.include({ state: 'initialized', timeline: 1 });
    expect(facts.systemId).to.match(/^\d{19}$/);
    expect(await b.profile.look()).to.deep.equal({ state: 'blank' });
    expect(await failure(a.profile.initialize({ settings: SMALL }, ignore))).to.include({ code: 'NotBlank' });
  });

  it('starts as RW with what only a restart could switch on later, but for archiving', async () => {
    await a.startRw();
    const [settings] = await a.sql(`SELECT current_setting('data_checksums') AS checksums,
      current_setting('archive_mode') AS archive, current_setting('ssl') AS ssl, current_setting('wal_level') AS wal,
      current_setting('password_encryption') AS password, current_setting('shared_preload_libraries') AS preload,
      pg_has_role('polardb_stack_monitor', 'pg_monitor', 'member') AS monitor`);
    expect(settings).to.deep.equal({
      checksums: 'on',
      archive: 'off',
      ssl: 'on',
      wal: 'replica',
      password: 'scram-sha-256',
      preload: 'pg_stat_statements',
      monitor: true,
    });
    const facts = await a.profile.observe(AbortSignal.timeout(2000));
    expect(facts).to.deep.include({ role: 'rw', acceptsWrites: true, timeline: 1, pendingRestart: [] });
    expect(facts.lsn).to.match(/^[0-9A-F]+\/[0-9A-F]+$/);
  });

  it('refuses to start beside a running engine', async () => {
    expect(await failure(a.profile.launch({ role: 'rw', settings: SMALL }))).to.include({ code: 'StillRunning' });
  });

  it('joins by a base backup with progress, follows and reads', async () => {
    await a.sql('CREATE TABLE t AS SELECT generate_series(1, 1000) AS id');
    const upstream = await a.upstreamFor(b);
    const phases: string[] = [];
    let bytes = 0;
    await b.profile.join(upstream, ({ phase, done }) => {
      phases.push(phase);
      bytes = done ?? bytes;
    });
    expect([...new Set(phases)]).to.include.members(['Connecting', 'Copying', 'Syncing']);
    expect(bytes).to.be.greaterThan(1_000_000);
    expect((await b.profile.look()).systemId).to.equal((await a.profile.look()).systemId);
    expect(await readdir(b.pgdata)).to.include('standby.signal');
    await b.profile.join(upstream, ignore);

    await b.startFollower(upstream);
    expect(await b.sql('SELECT count(*)::int AS rows FROM t')).to.deep.equal([{ rows: 1000 }]);
    const facts = await b.profile.observe(AbortSignal.timeout(2000));
    expect(facts).to.deep.include({ role: 'ro', acceptsWrites: false, streaming: true, timeline: 1 });
    const [sender] = await a.sql(`SELECT application_name AS name, usename AS role, ssl, active FROM pg_stat_replication
      JOIN pg_stat_ssl USING (pid) JOIN pg_replication_slots ON active_pid = pg_stat_replication.pid`);
    expect(sender).to.deep.equal({ name: upstream.applicationName, role: 'replicator', ssl: true, active: true });
  });

  it('does not take a receiver of another RW for streaming', async () => {
    const upstream = await a.upstreamFor(b);
    await b.profile.follow({ ...upstream, address: '127.0.0.2', port: 1 });
    await eventually('b streams no more', async () => {
      return (await b.profile.observe(AbortSignal.timeout(2000))).streaming === false;
    });
    await b.profile.follow(upstream);
    await b.streams();
  });

  const login = 'app "x"';
  const connect = async (config: pg.ClientConfig) => {
    const verified = { ca: bench.ca.pem, servername: 'a.test' };
    const defaults = { port: a.options.port, host: '127.0.0.1', database: 'postgres', password: REPLICATOR_PASSWORD };
    const client = new pg.Client({ ...defaults, ssl: verified, ...config });
    client.on('error', ignore);
    try {
      await client.connect();
      const { rows } = await client.query<{ version: string }>(
        'SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
      );
      return rows[0]!.version;
    } finally {
      await client.end();
    }
  };

  it('lets clients in with TLS, the certificate verified, and scram', async () => {
    await a.sql(`CREATE ROLE ${quoteIdentifier(login)} LOGIN PASSWORD ${quoteLiteral(REPLICATOR_PASSWORD)}`);
    expect(await connect({ user: login })).to.match(/^TLSv1\.[23]$/);
    const [stored] = await a.sql<{ verifier: string }>(
      'SELECT rolpassword AS verifier FROM pg_authid WHERE rolname = $1',
      [login],
    );
    expect(stored?.verifier).to.match(/^SCRAM-SHA-256\$/);
  });

  for (const [what, config] of [
    ['without TLS', { user: login, ssl: false }],
    ['with a wrong password', { user: login, password: 'no' }],
    ['as the superuser', { user: 'postgres' }],
    ['as the monitoring role', { user: 'polardb_stack_monitor' }],
  ] as const) {
    it(`lets no client in ${what}`, async () => {
      const error = await failure(connect(config));
      expect((error as { code?: string }).code).to.be.oneOf(['28000', '28P01']);
    });
  }

  it('takes settings into effect by reload where they can, and say where they cannot', async () => {
    const wanted = { ...SMALL, work_mem: '5MB', max_connections: '25' };
    const result = await a.profile.configure(wanted);
    expect(result).to.deep.equal({ changed: ['max_connections', 'work_mem'], needRestart: ['max_connections'] });
    const [running] = await a.sql(
      "SELECT current_setting('work_mem') AS work, current_setting('max_connections') AS max",
    );
    expect(running).to.deep.equal({ work: '5MB', max: '20' });
    expect(await a.profile.configure(wanted)).to.deep.equal({ changed: [], needRestart: ['max_connections'] });
    expect(await a.profile.configure(SMALL)).to.deep.include({ needRestart: [] });
  });

  it('refuses wrong settings all at once, and nothing is changed', async () => {
    const wanted = {
      ...SMALL,
      work_mem: '6MB',
      bogus: '1',
      max_connections: '-4',
      wal_level: 'high',
      block_size: '4',
    };
    const error = await failure(a.profile.configure(wanted));
    const problems = new Map(
      (error as { problems: { name: string; reason: string }[] }).problems.map(({ name, reason }) => [name, reason]),
    );
    expect([...problems.keys()].sort()).to.deep.equal(['block_size', 'bogus', 'max_connections', 'wal_level']);
    expect(problems.get('bogus')).to.equal('is unknown to this engine');
    expect(problems.get('max_connections')).to.match(/-4 is outside the valid range .*\(1 \.\. 262143\)/);
    expect(problems.get('wal_level')).to.match(/Available values: minimal, replica, logical/);
    expect(problems.get('block_size')).to.match(/cannot be changed/);
    expect(await a.sql("SELECT current_setting('work_mem') AS work")).to.deep.equal([{ work: '4MB' }]);
  });

  it('hands values to the engine exactly as they were given', async () => {
    const value = "it's \\ a\n\t\"test\" # of = 100 % 'quoting'\\";
    await a.profile.configure({ ...SMALL, 'test.value': value });
    expect(await a.sql("SELECT current_setting('test.value') AS value")).to.deep.equal([{ value }]);
    await a.profile.configure(SMALL);
  });

  it('takes a renewed certificate into use without a restart', async () => {
    const serial = async () => (await stat(join(a.options.dataDir, 'tls/server.crt'))).ino;
    const before = await serial();
    await bench.ca.issue(join(bench.directory, 'a/tls'), 'a.test');
    expect((await a.profile.configure(SMALL)).changed).to.deep.equal([]);
    expect(await serial()).to.not.equal(before);
    expect(a.log).to.not.match(/could not load|private key/);
  });

  it('recovers what was committed before every process was killed', async () => {
    await a.sql('INSERT INTO t SELECT generate_series(1001, 2000)');
    await a.kill();
    // In a new container these numbers may belong to other processes.
    await writeFile(join(a.pgdata, 'postmaster.pid'), `${process.pid}\n${a.pgdata}\n`);
    await a.startRw();
    expect(await a.sql('SELECT count(*)::int AS rows FROM t')).to.deep.equal([{ rows: 2000 }]);
    await b.streams();
  });

  it('hands over: fast stop, promote, the former RW follows on the new timeline', async () => {
    // Somebody's ALTER SYSTEM must not lead a follower astray.
    await a.sql("ALTER SYSTEM SET primary_conninfo = 'host=elsewhere'");
    await a.sql("ALTER SYSTEM SET work_mem = '7MB'");
    await a.stop();
    await a.profile.demote();
    await b.promote(2);
    await b.promote(2);
    expect(await b.profile.observe(AbortSignal.timeout(2000))).to.deep.include({
      role: 'rw',
      acceptsWrites: true,
      timeline: 2,
    });
    await a.startFollower(await b.upstreamFor(a));
    await b.sql('INSERT INTO t VALUES (0)');
    await eventually('a has the row', async () => (await a.sql('SELECT 1 FROM t WHERE id = 0')).length === 1);
    expect(await a.sql("SELECT current_setting('work_mem') AS work")).to.deep.equal([{ work: '7MB' }]);
    expect(await a.profile.observe(AbortSignal.timeout(2000))).to.deep.include({ role: 'ro', timeline: 2 });
  });

  it('does an interrupted join again, and never starts its remains', async () => {
    const c = await bench.member('c');
    const upstream = await b.upstreamFor(c);
    const broken = { ...upstream, slot: 'not_there' };
    expect(await failure(c.profile.join(broken, ignore))).to.match(/replication slot "not_there" does not exist/);
    await writeFile(join(c.pgdata, 'left'), 'over');
    expect(await c.profile.look()).to.deep.equal({ state: 'partial' });
    expect(await failure(c.profile.launch({ role: 'ro', settings: SMALL }))).to.include({ code: 'NotInitialized' });
    await c.profile.join(upstream, ignore);
    expect(await readdir(c.pgdata)).to.not.include('left');
    await c.startFollower(upstream);
    expect(await c.sql('SELECT count(*)::int AS rows FROM t')).to.deep.equal([{ rows: 2001 }]);
  });

  it('gives a follower that is started as RW a timeline of its own', async () => {
    const c = bench.members.find(member => member.name === 'c')!;
    await c.stop();
    for (const epoch of [3, 4]) {
      await c.startRw(SMALL, epoch);
      expect(await c.profile.observe(AbortSignal.timeout(2000))).to.deep.include({ role: 'rw', timeline: 3 });
      await c.stop();
    }
  });

  it('does not join through a certificate of another name', async () => {
    const d = await bench.member('d');
    const upstream = await b.upstreamFor(d);
    const error = await failure(d.profile.join({ ...upstream, host: 'evil.test' }, ignore));
    expect(error).to.match(/server certificate for "b.test".* does not match host name "evil.test"/);
  });
});

const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => expect.fail('nothing was thrown'),
    (error: unknown) => error,
  );
