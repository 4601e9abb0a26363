import { expect } from 'chai';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TlsMaterial } from '../agent-api/client.ts';
import { createCa } from '../pki/ca.ts';
import { issueLeaf } from '../pki/leaf.ts';
import { jsonLog } from './log.ts';
import { FakeClock } from './testing/fake-clock.ts';
import { eventually } from './testing/namespace.ts';
import { readTls, watchTls } from './tls-files.ts';
import { completeUpstream } from './upstream.ts';

describe('mounted files', () => {
  let directory: string;
  beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'tls-'))));
  afterEach(() => rm(directory, { recursive: true }));

  const issue = async (parts = ['crt', 'key', 'ca']): Promise<void> => {
    const ca = await createCa({ now: new Date() });
    const leaf = await issueLeaf(ca, { subject: { part: 'agent', name: 'a' }, sans: [] }, { now: new Date() });
    if (parts.includes('crt')) await writeFile(join(directory, 'tls.crt'), leaf.certificate);
    if (parts.includes('key')) await writeFile(join(directory, 'tls.key'), leaf.key);
    if (parts.includes('ca')) await writeFile(join(directory, 'ca.crt'), ca.certificate);
  };

  it('renewed certificates are taken once, half of a renewal never, a failed taking again', async () => {
    await issue();
    const clock = new FakeClock();
    const warnings: string[] = [];
    const taken: TlsMaterial[] = [];
    let fails = 1;
    const current = await readTls(directory);
    const stop = watchTls({
      directory,
      current,
      clock,
      log: jsonLog(line => {
        if (line.includes('"warn"')) warnings.push(line);
      }, {}),
      onRenewed: tls => {
        taken.push(tls);
        return fails-- > 0 ? Promise.reject(new Error('busy')) : Promise.resolve();
      },
    });
    const look = async (what: string, check: () => boolean): Promise<void> => {
      await eventually(what, async () => {
        await clock.advance(10_000);
        return check();
      });
    };
    await issue(['crt']);
    await look('a warning about the half', () => warnings.length > 0);
    expect(taken).to.deep.equal([]);
    await issue();
    await look('taken twice', () => taken.length === 2);
    expect(taken[1]?.cert).to.equal(await readFile(join(directory, 'tls.crt'), 'utf8'));
    await clock.advance(60_000);
    stop();
    expect(taken).to.have.length(2);
  });

  it('an upstream gets a pass file that nobody else may read', async () => {
    const secretFile = join(directory, 'Password');
    await writeFile(secretFile, 'a:b\\c\n');
    const upstream = { host: 'h', address: '10.0.0.1', port: 5432, slot: 's' };
    const options = { secretFile, directory, applicationName: '1/p/0' };
    const complete = await completeUpstream(upstream, options);
    expect(complete).to.deep.include({ ...upstream, applicationName: '1/p/0' });
    expect(await readFile(complete.passFile, 'utf8')).to.equal('*:*:*:replicator:a\\:b\\\\c\n');
    expect((await stat(complete.passFile)).mode & 0o777).to.equal(0o600);
    await rm(secretFile);
    const error: unknown = await completeUpstream(upstream, options).catch((thrown: unknown) => thrown);
    expect(error).to.include({ code: 'Refused' });
  });
});
