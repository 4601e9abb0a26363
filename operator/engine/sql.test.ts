import { expect } from 'chai';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { mkdir } from 'node:fs/promises';
import { errorCode, isNotRunning, isPassing, quoteIdentifier, quoteLiteral, withSession } from './sql.ts';
import { scratch } from './testing/scratch.ts';

describe('SQL over the socket', () => {
  const { path } = scratch();
  const address = () => ({ socketDir: path('run'), port: 5432, user: 'postgres' });
  const failure = (work: Promise<unknown>) =>
    work.then(
      () => expect.fail('nothing was thrown'),
      (error: unknown) => error,
    );
  let server: Server | undefined;
  const clients = new Set<Socket>();

  async function listen(onConnect: (socket: Socket) => void): Promise<void> {
    await mkdir(path('run'));
    server = createServer(socket => {
      clients.add(socket);
      onConnect(socket.on('error', () => undefined));
    });
    await new Promise<void>(resolve => server!.listen(path('run/.s.PGSQL.5432'), resolve));
  }

  afterEach(() => {
    for (const client of clients) client.destroy();
    server?.close();
  });

  it('says that nothing runs', async () => {
    const error = await failure(withSession(address(), session => session.query('SELECT 1')));
    expect(isNotRunning(error)).to.equal(true);
  });

  it('does not wait for an engine that takes the connection and is silent', async () => {
    await listen(() => undefined);
    const error = await failure(withSession(address(), session => session.query('SELECT 1'), { connectMs: 50 }));
    expect(error).to.match(/timeout/);
  });

  it('ends at once on abort, with the reason of the caller', async () => {
    const abort = new AbortController();
    await listen(() => abort.abort(new Error('fenced')));
    const { signal } = abort;
    expect(await failure(withSession(address(), session => session.query('SELECT 1'), { signal }))).to.match(/fenced/);
  });

  for (const [what, error, passing] of [
    ['starting up', { code: '57P03' }, true],
    ['cut by a promotion', { code: '57P01' }, true],
    ['cut without a word', new Error('Connection terminated unexpectedly'), true],
    ['cut between two queries', new Error('Client has encountered a connection error and is not queryable'), true],
    ['taken too slowly', new Error('timeout expired'), true],
    ['no socket', { code: 'ENOENT' }, true],
    ['wrong user', { code: '28000' }, false],
    ['a bug of ours', new TypeError('x is not a function'), false],
  ] as const) {
    it(`${what}: ${passing ? 'passes' : 'does not pass'}`, () => expect(isPassing(error)).to.equal(passing));
  }

  it('reads error codes of anything', () => {
    expect([errorCode(null), errorCode('x'), errorCode({ code: 5 })]).to.deep.equal([undefined, undefined, undefined]);
  });

  it('quotes what cannot be a parameter', () => {
    expect(quoteIdentifier('a"b')).to.equal('"a""b"');
    expect(quoteLiteral("it's \\")).to.equal(" E'it''s \\\\'");
    for (const wrong of [() => quoteIdentifier(''), () => quoteIdentifier('a\0'), () => quoteLiteral('a\0')]) {
      expect(wrong).to.throw('NUL');
    }
  });
});
