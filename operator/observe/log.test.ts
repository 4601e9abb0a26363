import { readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { expect } from 'chai';
import { createLog } from './log.ts';
import type { Log, LogOptions } from './log.ts';

/** Collects what is written. `slow`: takes each piece only in a later turn, as a pipe does. */
class Sink extends Writable {
  text = '';
  private readonly slow: boolean;

  constructor(slow = false) {
    super();
    this.slow = slow;
  }

  override _write(chunk: Buffer, _: string, callback: () => void): void {
    const take = (): void => {
      this.text += chunk.toString();
      callback();
    };
    if (this.slow) setImmediate(take);
    else take();
  }

  get lines(): Record<string, unknown>[] {
    return this.text
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line) as Record<string, unknown>);
  }
}

describe('log', () => {
  let sink: Sink;
  let log: Log;
  const open = (options: Partial<LogOptions> = {}): Log =>
    createLog({ part: 'operator', out: sink, now: () => new Date(0), ...options });
  beforeEach(() => {
    sink = new Sink();
    log = open();
  });
  afterEach(() => log.close());

  it('writes one JSON object per line, with time, level, part and context', () => {
    const child = log.child({ controller: 'mpdcluster' }).child({ namespace: 'team-a', cluster: 'orders' });
    child.info('pod created', { instance: '7', pod: 'orders-1-7' });
    expect(sink.text).to.equal(
      '{"time":"1970-01-01T00:00:00.000Z","level":"info","message":"pod created","part":"operator","controller":"mpdcluster","namespace":"team-a","cluster":"orders","instance":"7","pod":"orders-1-7"}\n',
    );
  });

  it('shows errors with their cause, wherever they stand in meta', () => {
    const error = new Error('boom', { cause: new Error('root') });
    log.error('failed', { error });
    log.error('failed', error);
    log.error('failed', { attempts: [{ error }] });
    for (const line of sink.lines.slice(0, 2)) {
      expect(line).to.include({ message: 'failed' });
      expect(line.error).to.deep.include({ message: 'boom', cause: { name: 'Error', message: 'root' } });
    }
    expect(JSON.stringify(sink.lines[2])).to.include('"message":"boom"');
  });

  it('does not let meta touch the message or its own fields', () => {
    log.info('first', { message: 'second', level: 'x', time: 'y', part: 'z' });
    expect(sink.lines[0]).to.deep.equal({
      level: 'info',
      time: '1970-01-01T00:00:00.000Z',
      message: 'first',
      part: 'operator',
      _message: 'second',
      _level: 'x',
      _time: 'y',
      _part: 'z',
    });
  });

  it('takes a message with printf marks as it is', () => {
    log.info('100 %s %d', { a: 1 });
    expect(sink.lines[0]).to.include({ message: '100 %s %d', a: 1 });
  });

  it('keeps a context as it was when it was given', () => {
    const context = { cluster: 'orders' };
    const child = log.child(context);
    context.cluster = 'changed';
    child.info('x');
    expect(sink.lines[0]).to.include({ cluster: 'orders' });
  });

  it('masks secrets in message, fields, context and errors, from the moment they are known', () => {
    const child = log.child({ host: 'a', uri: 'postgresql://app:hidden@a' });
    log.redact('hunter2-x');
    child.warn('psql hunter2-x', { out: ['hunter2-x'], password: 'abc', error: new Error('hunter2-x') });
    expect(sink.text).to.not.include('hunter2-x').and.not.include('abc').and.not.include('hidden');
    expect(sink.lines[0]).to.include({ message: 'psql [redacted]', password: '[redacted]' });
  });

  it('changes its level at run time, for children that exist already too', () => {
    const child = log.child({ cluster: 'orders' });
    child.debug('unseen');
    log.level = 'debug';
    child.debug('seen');
    log.level = 'error';
    child.warn('unseen');
    child.error('seen too');
    expect(log.level).to.equal('error');
    expect(sink.lines.map(({ message }) => message)).to.deep.equal(['seen', 'seen too']);
  });

  it('does not look at the fields of a line below its level', () => {
    let looked = 0;
    const meta = {
      get field(): number {
        return ++looked;
      },
    };
    log.debug('x', meta);
    expect(looked).to.equal(0);
  });

  it('hands out every line before close resolves, also to a slow reader', async () => {
    sink = new Sink(true);
    const slow = open();
    for (let i = 0; i < 2_000; i++) slow.info(`line ${i}`);
    await slow.close();
    expect(sink.lines).to.have.length(2_000);
  });

  it('may be closed twice, and drops lines that come later', async () => {
    log.info('in time');
    await Promise.all([log.close(), log.close()]);
    log.info('too late');
    expect(sink.lines).to.have.length(1);
  });

  it('outlives a reader that is gone', async () => {
    const broken = new Writable({ write: (_chunk, _encoding, callback) => callback(new Error('EPIPE')) });
    const orphan = open({ out: broken });
    orphan.info('a');
    orphan.info('b');
    await orphan.close();
    expect(broken.destroyed).to.equal(true);
  });

  it('fits what libraries call a logger: four functions that need no this', () => {
    const { info } = log.child({ controller: 'k8s' });
    info('watching');
    expect(sink.lines[0]).to.include({ message: 'watching', controller: 'k8s' });
  });

  it('never throws, whatever it is given', () => {
    const hostile = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('no');
        },
      },
    );
    log.info('x', hostile);
    log.info('y', [1, 2]);
    log.child(hostile).info('z');
    expect(sink.lines.map(({ message, meta }) => [message, meta])).to.deep.equal([
      ['x', '[unreadable]'],
      ['y', [1, 2]],
      ['z', '[unreadable]'],
    ]);
  });

  it('has its fields in its documentation', () => {
    const context = { namespace: 'a', cluster: 'b', instance: 'c', operation: 'd', step: 'e', controller: 'f' };
    log.child(context).info('x', new Error('y'));
    const page = readFileSync(new URL('../../docs/operations/logs.md', import.meta.url), 'utf8');
    const documented = page.split('\n').flatMap(line => /^\| `([a-z]+)`/.exec(line)?.[1] ?? []);
    expect(documented).to.have.members(Object.keys(sink.lines[0]!));
  });
});
