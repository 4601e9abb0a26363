import { expect } from 'chai';
import fc from 'fast-check';
import { isSecretName, SecretValues } from './redact.ts';

describe('names of secret fields', () => {
  for (const name of [
    'password',
    'Password',
    'PGPASSWORD',
    'tls.key',
    'client-key-data',
    'privateKey',
    'bearerToken',
    'clientSecret',
    'Authorization',
    'set-cookie',
  ]) {
    it(`${name} is one`, () => expect(isSecretName(name)).to.equal(true));
  }
  for (const name of ['key', 'secretName', 'tokens', 'passwordSecretRef', 'author', 'keyspace', 'continueTokenAge']) {
    it(`${name} is none`, () => expect(isSecretName(name)).to.equal(false));
  }
});

describe('secrets by their form', () => {
  const secrets = new SecretValues();
  for (const [text, masked] of [
    ['postgresql://app:s3cret@db:5432/orders', 'postgresql://app:[redacted]@db:5432/orders'],
    ['host=a password=s3cret user=b', 'host=a password=[redacted] user=b'],
    ["password='s3 cr\\'et' x", 'password=[redacted] x'],
    ["ALTER ROLE app PASSWORD 's3''cret' LOGIN", 'ALTER ROLE app PASSWORD [redacted] LOGIN'],
    ['{"password":"s3cret","user":"app"}', '{"password":[redacted],"user":"app"}'],
    ['Authorization: Bearer eyJh.bGci.x-_', 'Authorization: Bearer [redacted]'],
    ['-----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY-----\nrest', '[redacted]\nrest'],
    ['-----BEGIN PRIVATE KEY-----\ncut off', '[redacted]'],
    ["ALTER ROLE app PASSWORD 's3cret cut o", 'ALTER ROLE app PASSWORD [redacted]'],
    ['SCRAM-SHA-256$4096:salt$stored:server', '[redacted]'],
    ['https://example.org:8443/path', 'https://example.org:8443/path'],
    ['password authentication failed for user "app"', 'password authentication failed for user "app"'],
    ['nothing secret', 'nothing secret'],
  ] as const) {
    it(JSON.stringify(text), () => expect(secrets.mask(text)).to.equal(masked));
  }
});

describe('texts that would keep a careless search busy for minutes', () => {
  for (const piece of ['a.', 'a://a:', 'password ', "password='''", '-----BEGIN ', 'Bearer ', '\\ ']) {
    it(JSON.stringify(piece), () => {
      const secrets = new SecretValues();
      secrets.add('aaaaaaaa');
      expect(secrets.mask(piece.repeat(50_000))).to.be.a('string');
    }).timeout(5_000);
  }
});

describe('secrets by value', () => {
  const masked = (value: string, text: string): string => {
    const secrets = new SecretValues();
    secrets.add(value);
    return secrets.mask(text);
  };

  for (const [what, text] of [
    ['as it is', 'psql said: p"ss/w0rd!'],
    ['within JSON', JSON.stringify({ a: 'p"ss/w0rd!' })],
    ['in a URL', `https://h/?x=${encodeURIComponent('p"ss/w0rd!')}`],
    ['as Base64', Buffer.from('p"ss/w0rd!').toString('base64')],
  ] as const) {
    it(what, () => expect(masked('p"ss/w0rd!', text)).to.include('[redacted]').and.not.include('w0rd'));
  }

  it('with and without the line break of a file', () => {
    expect(masked('s3cret-value\n', 'got s3cret-value.')).to.equal('got [redacted].');
  });

  it('leaves the log readable when a value is next to nothing', () => {
    expect(masked('abc', 'abcdef')).to.equal('abcdef');
  });

  it('prefers the longer of two values', () => {
    const secrets = new SecretValues();
    for (const value of ['secret', 'secret-of-all']) secrets.add(value);
    expect(secrets.mask('secret-of-all, secret')).to.equal('[redacted], [redacted]');
  });

  it('never lets one through, wherever it stands', () => {
    const value = fc.string({ minLength: 6, maxLength: 20, unit: fc.constantFrom(...Array.from('abcXYZ019!"\\/ ')) });
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 5 }),
        fc.string(),
        fc.string(),
        (values, before, after) => {
          const secrets = new SecretValues();
          const kept = values.map(one => one.trim()).filter(one => one.length >= 4);
          kept.forEach(one => secrets.add(one));
          for (const one of kept) {
            // What stands around it may itself be the beginning of another value.
            const text = secrets.mask(`${before}|${one}|${after}`);
            expect(text).to.not.include(`|${one}|`);
          }
        },
      ),
    );
  });
});
