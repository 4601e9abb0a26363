import { expect } from 'chai';
import { ProgramError, runProgram } from './programs.ts';

const node = process.execPath;
const script = (code: string, ...args: string[]) => ({ program: node, args: ['-e', code, ...args] });
const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => expect.fail('nothing was thrown'),
    (error: unknown) => error,
  );

describe('engine programs', () => {
  it('get their arguments as they are and an environment without ours', async () => {
    process.env.PGHOST = 'elsewhere';
    try {
      const code = 'console.log(JSON.stringify([process.argv.slice(1), Object.keys(process.env).sort()]))';
      const { stdout } = await runProgram({ ...script(code, '$(id); "x"', "it's"), env: { EXTRA: '1' } });
      expect(JSON.parse(stdout)).to.deep.equal([
        ['$(id); "x"', "it's"],
        ['EXTRA', 'HOME', 'LC_ALL', 'PATH', 'TZ'],
      ]);
    } finally {
      delete process.env.PGHOST;
    }
  });

  it('get standard input, and tell lines of standard error as they come', async () => {
    const lines: string[] = [];
    const code = "process.stdin.on('data', d => process.stderr.write('got ' + d + '\\r\\nnext'))";
    const { stderr } = await runProgram({ ...script(code), stdin: 'words', onStderr: line => lines.push(line) });
    expect(lines).to.deep.equal(['got words', 'next']);
    expect(stderr).to.equal('got words\r\nnext');
  });

  it('tell how they failed, with the end of what they said', async () => {
    const code = "for (let i = 0; i < 20000; i++) console.error('line ' + i); process.exitCode = 3";
    const error = (await failure(runProgram(script(code)))) as ProgramError;
    expect(error).to.be.instanceOf(ProgramError).and.include({ program: node, exitCode: 3, killedBy: null });
    expect(error.message).to.match(/^node failed with exit code 3: line 19997 \| line 19998 \| line 19999$/);
    expect(error.stderr).to.have.length(16 * 1024);
  });

  it('tell that they could not be started', async () => {
    expect(await failure(runProgram({ program: '/nonexistent/initdb', args: [] }))).to.match(
      /initdb could not be started/,
    );
  });

  it('are ended with their children at the time limit', async () => {
    const code = `const c = require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)'], {stdio: 'inherit'});
      console.log(c.pid); setInterval(() => 0, 1000)`;
    const error = await failure(runProgram({ ...script(code), timeoutMs: 300 }));
    // `close` came, so nobody holds the pipe any more: the child is gone too.
    expect(error).to.match(/node did not end within 300 ms/);
  });

  it('are ended on abort with the reason of the caller', async () => {
    const abort = new AbortController();
    const running = failure(
      runProgram({
        ...script("console.error('up'); setInterval(() => 0, 1000)"),
        signal: abort.signal,
        onStderr: () => abort.abort(new Error('fenced')),
      }),
    );
    expect(await running).to.match(/fenced/);
    expect(await failure(runProgram({ ...script(''), signal: abort.signal }))).to.match(/fenced/);
  });
});
