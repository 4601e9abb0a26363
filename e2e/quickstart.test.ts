import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { auditMark, auditSince } from './support/audit.ts';
import { find, isUp } from '../scripts/kubernetes/cluster.ts';

const name = 'quickstart-e2e';

interface Ended {
  code: number | null;
  out: string;
  seconds: number;
}

/** Runs one of the project's commands as a person does. */
async function npm(script: string, ...args: string[]): Promise<Ended> {
  const began = performance.now();
  const child = spawn('npm', ['run', '--silent', script, '--', '--name', name, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (out += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, out, seconds: (performance.now() - began) / 1000 };
}

describe('npm run quickstart', function () {
  // The first run on a machine builds Kubernetes.
  this.timeout(15 * 60_000);
  let first: Ended;

  before(async () => {
    await npm('quickstart', '--down');
    first = await npm('quickstart');
  });
  after(() => npm('quickstart', '--down'));

  it('ends with a cluster that is Ready and lines that were tried', () => {
    expect(first.code, first.out).to.equal(0);
    expect(first.out).to.match(/✓ +[\d.]+ s {2}sample cluster Ready\n/);
    expect(first.out).to.contain('Cluster default/quickstart is Ready: one read-write and 2 read-only instances.');
    expect(first.out).to.contain(`npm run quickstart -- --name ${name} --down`);
  });

  it('tells why it waited', () => {
    expect(first.out).to.match(/sample cluster Ready: create, step \w+: \w+: /);
  });

  it('changes nothing when it is run again', async () => {
    const { auditLog } = (await find(name))!;
    const mark = await auditMark(auditLog);
    const second = await npm('quickstart');
    expect(second.code, second.out).to.equal(0);
    expect(second.out).not.to.match(/objects changed| configured| created/);
    const writes = (await auditSince(auditLog, mark)).filter(
      ({ user, verb }) => user.username === 'admin' && !['get', 'list', 'watch'].includes(verb),
    );
    // The line with psql in a pod is a call too, and leaves nothing.
    expect(writes.filter(({ objectRef }) => objectRef?.subresource !== 'exec')).to.deep.equal([]);
  });

  it('says where its kubeconfig is', async () => {
    const { code, out } = await npm('kubeconfig');
    expect(code).to.equal(0);
    expect(existsSync(out.trim())).to.be.true;
  });

  it('leaves nothing when it is taken down, and says so', async () => {
    const { code, out } = await npm('quickstart', '--down');
    expect(code, out).to.equal(0);
    expect(await isUp(name)).to.be.false;
    expect(existsSync(`dist/quickstart/${name}`)).to.be.false;
    const asked = await npm('kubeconfig');
    expect(asked.code).to.equal(1);
    expect(asked.out).to.contain(`the local cluster ${name} is not up`);
  });
});
