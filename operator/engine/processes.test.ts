import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { postmasterPid, processesIn } from './processes.ts';
import { scratch } from './testing/scratch.ts';

describe('processes of an engine', () => {
  const { path } = scratch();

  it('are those that stand in its directory, whatever they are called', async () => {
    await mkdir(path('pgdata'));
    await symlink(path('pgdata'), path('link'));
    expect(await processesIn(path('pgdata'))).to.deep.equal([]);
    expect(await processesIn(path('missing'))).to.deep.equal([]);
    const child = spawn(process.execPath, ['-e', "console.log('up'); setInterval(() => 0, 1000)"], {
      cwd: path('pgdata'),
    });
    try {
      await once(child.stdout, 'data');
      expect(await processesIn(path('link'))).to.deep.equal([child.pid]);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });

  for (const [what, content, alive, pid] of [
    ['the postmaster', '42\n/data\n', [42, 43], 42],
    ['a number that another process has by now', '42\n/data\n', [43], undefined],
    ['nothing', undefined, [43], undefined],
    ['rubbish', 'x', [43], undefined],
  ] as const) {
    it(`its pid file names ${what}`, async () => {
      if (content !== undefined) await writeFile(path('postmaster.pid'), content);
      expect(await postmasterPid(path('.'), () => Promise.resolve([...alive]))).to.equal(pid);
    });
  }
});
