import { expect } from 'chai';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Member } from '../testing/member.ts';
import { Bench, SMALL } from '../testing/member.ts';

const ignore = () => undefined;

describe('PostgreSQL with one volume for all (real engine)', function () {
  this.timeout(30_000);
  let bench: Bench;
  let a: Member;
  let b: Member;

  before(async () => {
    bench = await Bench.open();
    a = await bench.member('a', 'share');
    b = await bench.member('b', 'share');
  });
  after(() => bench.close());

  it('has members that stand ready without an engine', async () => {
    expect([a.profile.serves('rw'), a.profile.serves('ro')]).to.deep.equal([true, false]);
    const early = await b.profile.join(await noUpstream(), ignore).catch((error: unknown) => error);
    expect(early).to.include({ code: 'NotInitialized' });
    await a.profile.initialize({ settings: SMALL }, ignore);
    await b.profile.join(await noUpstream(), ignore);
    expect(await b.profile.look()).to.deep.equal(await a.profile.look());
    const refused = await b.profile.launch({ role: 'ro', settings: SMALL }).catch((error: unknown) => error);
    expect(refused).to.include({ code: 'RoleNotServed' });
  });

  it('hands the volume over: killed on one member, RW on the other with every row', async () => {
    await a.startRw();
    await a.sql('CREATE TABLE t AS SELECT generate_series(1, 1000) AS id');
    const beside = await b.profile.launch({ role: 'rw', settings: SMALL }).catch((error: unknown) => error);
    expect(beside).to.include({ code: 'StillRunning' });
    await a.kill();
    await a.profile.demote();
    await b.startRw();
    expect(await b.sql('SELECT count(*)::int AS rows FROM t')).to.deep.equal([{ rows: 1000 }]);
    expect(await b.profile.observe(AbortSignal.timeout(2000))).to.include({ role: 'rw', acceptsWrites: true });
  });

  it('does not start data of another major version', async () => {
    await b.stop();
    const version = join(b.pgdata, 'PG_VERSION');
    const before = await readFile(version, 'utf8');
    await writeFile(version, '14\n');
    const refused = await a.profile.launch({ role: 'rw', settings: SMALL }).catch((error: unknown) => error);
    expect(refused).to.include({ code: 'WrongEngine' });
    await writeFile(version, before);
  });

  it('and back after a fast stop', async () => {
    await a.startRw();
    expect(await a.sql('SELECT count(*)::int AS rows FROM t')).to.deep.equal([{ rows: 1000 }]);
  });
});

/** In `share` a member needs nothing of the RW to join. */
const noUpstream = () =>
  Promise.resolve({ host: 'none', address: '', port: 0, slot: '', applicationName: '', passFile: '' });
