import { expect } from 'chai';
import { closeSync, mkdirSync, openSync, statSync, writeFileSync } from 'node:fs';
import { readOpenFiles, type OpenFiles } from './open-files.ts';
import { Tree } from './testing/tree.ts';

describe('open files of a host', () => {
  let tree: Tree;
  beforeEach(() => {
    tree = new Tree();
    tree.file('open', 0);
    tree.file('closed', 0);
  });
  afterEach(() => tree.remove());
  const id = (name: string): string => {
    const { dev, ino } = statSync(`${tree.root}/${name}`, { bigint: true });
    return `${dev}:${ino}`;
  };

  it('are found by device and inode, whoever has them', async () => {
    const descriptor = openSync(`${tree.root}/open`, 'r');
    const [device] = id('open').split(':') as [string];
    const open = await readOpenFiles('/proc', device, new AbortController().signal);
    closeSync(descriptor);
    expect(open.ids.has(id('open'))).to.equal(true);
    expect(open.ids.has(id('closed'))).to.equal(false);
  });

  it('are not all known when a process cannot be looked at', async () => {
    // One that ended, then one whose descriptors are not for us (here: something else has their name).
    for (const pid of ['1', '2', 'self']) mkdirSync(`${tree.base}/proc/${pid}`, { recursive: true });
    const look = (): Promise<OpenFiles> => readOpenFiles(`${tree.base}/proc`, '1', new AbortController().signal);
    expect(await look()).to.deep.equal({ ids: new Set(), isComplete: true });
    writeFileSync(`${tree.base}/proc/2/fd`, '');
    expect((await look()).isComplete).to.equal(false);
    const missing: unknown = await readOpenFiles(`${tree.base}/none`, '1', new AbortController().signal).catch(
      (error: unknown) => (error as NodeJS.ErrnoException).code,
    );
    expect(missing).to.equal('ENOENT');
  });
});
