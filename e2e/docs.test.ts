import { expect } from 'chai';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { blocksOf, pages, readPage, type Block } from '../scripts/docs/blocks.ts';
import { projectRoot } from '../scripts/kubernetes/paths.ts';
import { run } from '../scripts/kubernetes/run.ts';
import { scenario } from './support/scenario.ts';

/** What a reader of the README has at hand, in a place where a test may write. */
const AT_HAND = ['crds', 'manifests', 'node_modules', 'operator', 'package.json', 'scripts'];

describe('commands of the documentation', function () {
  this.timeout(5 * 60_000);
  const at = scenario('docs');
  let directory: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'polardb-stack-docs-'));
    await Promise.all(AT_HAND.map(name => symlink(join(projectRoot, name), join(directory, name))));
    // The pages speak of the namespace that a reader is in.
    const kubeconfig = await at.kubectl.run('config', 'view', '--raw');
    await writeFile(join(directory, 'kubeconfig'), kubeconfig, { mode: 0o600 });
    await run(at.local.kubectl, ['config', 'set-context', '--current', `--namespace=${at.namespace}`], { env: env() });
  });
  after(() => rm(directory, { recursive: true, force: true }));

  const env = (): Record<string, string> => ({
    KUBECONFIG: join(directory, 'kubeconfig'),
    PATH: `${dirname(at.local.kubectl)}:${process.env.PATH ?? ''}`,
  });

  const execute = async ({ language, marks, text }: Block): Promise<void> => {
    const file = marks.find(mark => mark.startsWith('file='))?.slice('file='.length);
    if (file) await writeFile(join(directory, file), text);
    else if (language === 'sh') await run('sh', ['-euc', text], { cwd: directory, env: env() });
  };

  for (const page of pages(projectRoot)) {
    const blocks = blocksOf(page, readPage(projectRoot, page)).filter(({ marks }) => marks.length > 0);
    for (const block of blocks) {
      it(`${page}:${block.line}`, () => execute(block));
    }
  }

  it('leave no cluster behind', async () => {
    expect(await at.kubectl.list('mpdclusters', '--namespace', at.namespace)).to.deep.equal([]);
  });
});
