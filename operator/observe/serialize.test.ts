import { expect } from 'chai';
import fc from 'fast-check';
import { toPlain } from './serialize.ts';

const plain = (value: unknown): unknown => toPlain(value, text => text.replaceAll('s3cret', '[redacted]'));

describe('what becomes of logged values', () => {
  const circular: Record<string, unknown> = { name: 'a' };
  circular.self = circular;
  const shared = { n: 1 };
  const unreadable = {
    get value(): never {
      throw new Error('no');
    },
  };

  for (const [what, value, expected] of [
    ['text', 'hello s3cret', 'hello [redacted]'],
    ['numbers that JSON lacks', [NaN, Infinity, 10n], ['NaN', 'Infinity', '10']],
    ['dates', { at: new Date(0), never: new Date(NaN) }, { at: '1970-01-01T00:00:00.000Z', never: 'Invalid Date' }],
    ['bytes', Buffer.from('s3cret'), '[6 bytes]'],
    ['maps and sets', { m: new Map([['a', 1]]), s: new Set([1]) }, { m: { a: 1 }, s: [1] }],
    ['functions and undefined', { f: () => 1, u: undefined, n: null }, { n: null }],
    ['cycles', circular, { name: 'a', self: '[circular]' }],
    ['the same object twice is no cycle', { a: shared, b: shared }, { a: { n: 1 }, b: { n: 1 } }],
    ['getters that throw', unreadable, '[unreadable]'],
    ['URLs', new URL('https://h/?a=s3cret'), 'https://h/?a=[redacted]'],
    [
      'secret fields',
      { password: 'x', token: { a: 1 }, apiKey: null },
      { password: '[redacted]', token: '[redacted]', apiKey: null },
    ],
    [
      'depth',
      { a: { a: { a: { a: { a: { a: { a: 1 } } } } } } },
      { a: { a: { a: { a: { a: { a: '[too deep]' } } } } } },
    ],
  ] as const) {
    it(what, () => expect(plain(value)).to.deep.equal(expected));
  }

  it('cuts long texts, long lists and large objects', () => {
    expect(plain('x'.repeat(5_000))).to.have.length.below(4_200);
    expect(plain(Array(60).fill(1))).to.have.length(51);
    expect(plain(Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`f${i}`, i])))).to.include({
      '...': '[10 more]',
    });
  });

  it('is JSON for anything', () => {
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withMap: true, withSet: true, withDate: true, withTypedArray: true }),
        value => {
          const result = plain(value);
          if (result !== undefined) expect(JSON.parse(JSON.stringify(result))).to.deep.equal(result);
        },
      ),
    );
  });
});

describe('what becomes of errors', () => {
  it('keeps name, message, stack and the chain of causes', () => {
    const root = Object.assign(new Error('ECONNREFUSED s3cret'), { code: 'ECONNREFUSED', syscall: 'connect' });
    const error = plain(new TypeError('cannot reach agent', { cause: new Error('call failed', { cause: root }) })) as {
      stack: string;
    };
    expect(error).to.deep.include({
      name: 'TypeError',
      message: 'cannot reach agent',
      cause: {
        name: 'Error',
        message: 'call failed',
        cause: { name: 'Error', message: 'ECONNREFUSED [redacted]', code: 'ECONNREFUSED', syscall: 'connect' },
      },
    });
    expect(error.stack).to.match(/^at /);
  });

  it('leaves out bodies, headers and requests of API errors', () => {
    const error = Object.assign(new Error('HTTP 403'), {
      code: 403,
      reason: 'Forbidden',
      body: { data: { password: 'x' } },
      headers: { authorization: 'Bearer x' },
      response: { request: {} },
      config: {},
    });
    expect(plain(error)).to.have.keys('name', 'message', 'code', 'reason', 'stack');
  });

  it('lists the parts of an AggregateError', () => {
    const error = plain(new AggregateError([new Error('a'), 'b'], 'all failed'));
    expect(error).to.deep.include({ errors: [{ name: 'Error', message: 'a' }, 'b'] });
  });

  it('ends at a cause that is its own cause', () => {
    const error = new Error('a');
    error.cause = error;
    expect(plain(error)).to.include({ cause: '[circular]' });
  });

  it('takes a cause that is no error', () => {
    expect(plain(new Error('a', { cause: { status: 404 } }))).to.deep.include({ cause: { status: 404 } });
  });
});
