import { expect } from 'chai';
import fc from 'fast-check';
import { createHmac } from 'node:crypto';
import type { AccountRequest } from '../../agent-api/requests.ts';
import type { Session } from '../../engine/sql.ts';
import { attributes, ensureAccount, type Sql } from './accounts.ts';
import { createStatement, ensureDatabase } from './databases.ts';
import { compareSlots } from './slots.ts';
import { scramVerifier } from './scram.ts';

const command = { requestId: 'r', incarnation: 'i', clusterUid: 'u', epoch: 1, term: 1, generation: 1 };

/** Sessions that answer `rows` to every query and keep its text. */
function recording(rows: object[]): { sql: Sql; texts: string[] } {
  const texts: string[] = [];
  const session: Session = {
    query: <Row>(text: string) => {
      texts.push(text);
      return Promise.resolve(rows as Row[]);
    },
  };
  return { sql: use => use(session), texts };
}

describe('verifiers', () => {
  it('sign as RFC 7677 says', async () => {
    const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
    const verifier = await scramVerifier('pencil', salt);
    const serverKey = Buffer.from(verifier.split(':')[2] ?? '', 'base64');
    const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
    const exchange = [
      'n=user,r=rOprNGfwEbeRWgbNEkqO',
      `r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`,
      `c=biws,r=${nonce}`,
    ].join(',');
    const signature = createHmac('sha256', serverKey).update(exchange).digest('base64');
    expect(signature).to.equal('6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
    expect(verifier).to.match(/^SCRAM-SHA-256\$4096:W22ZaJ0SNY7soEsUEjb6gQ==\$[\w+/=]{44}:[\w+/=]{44}$/);
  });

  it('differ each time', async () => expect(await scramVerifier('pencil')).to.not.equal(await scramVerifier('pencil')));
});

describe('accounts', () => {
  const account: AccountRequest = { command, name: 'app', password: 'plain-text-1', level: 1 };

  for (const [rows, verb, created] of [
    [[], 'CREATE ROLE', true],
    [[{}], 'ALTER ROLE', false],
  ] as const) {
    it(`${verb} when ${rows.length === 0 ? 'missing' : 'there'}`, async () => {
      const { sql, texts } = recording([...rows]);
      expect(await ensureAccount(sql, account)).to.deep.equal({ created });
      expect(texts.some(text => text.startsWith(`${verb} "app" WITH NOSUPERUSER`))).to.equal(true);
    });
  }

  it('the password stays out of every statement, and statements out of the log', async () => {
    const { sql, texts } = recording([]);
    await ensureAccount(sql, account);
    expect(texts.join('\n')).to.not.include('plain-text-1');
    const quiet = texts.findIndex(text => text.includes("log_statement = 'none'"));
    expect(quiet).to.be.lessThan(texts.findIndex(text => text.includes('SCRAM-SHA-256')));
  });

  it('names never leave their quotes', async () => {
    const name = fc.string({ minLength: 1 }).filter(text => !text.includes('\0'));
    await fc.assert(
      fc.asyncProperty(name, async text => {
        const { sql, texts } = recording([{ owner: 'someone' }]);
        await ensureDatabase(sql, { command, name: text, owner: text });
        const quoted = `"${text.replaceAll('"', '""')}"`;
        expect(texts.at(-1)).to.equal(
          text === 'someone' ? texts.at(-1) : `ALTER DATABASE ${quoted} OWNER TO ${quoted}`,
        );
      }),
    );
  });

  it('each level names every attribute', () => {
    for (const level of [1, 6, 7, 15] as const) expect(attributes(level)).to.match(/SUPERUSER.*REPLICATION.*LOGIN/);
    expect(attributes(15)).to.equal('SUPERUSER REPLICATION LOGIN');
  });
});

describe('databases', () => {
  for (const [what, extra, text] of [
    ['plain', {}, 'CREATE DATABASE "a""b" OWNER "app"'],
    ['with encoding', { encoding: 'UTF8' }, `CREATE DATABASE "a""b" OWNER "app" TEMPLATE template0 ENCODING 'UTF8'`],
    ['with locale', { locale: 'C' }, `CREATE DATABASE "a""b" OWNER "app" TEMPLATE template0 LOCALE 'C'`],
  ] as const) {
    it(what, () => expect(createStatement({ command, name: 'a"b', owner: 'app', ...extra })).to.equal(text));
  }

  it('need their owner', async () => {
    const error: unknown = await ensureDatabase(recording([]).sql, { command, name: 'd', owner: 'x' }).catch(
      (e: unknown) => e,
    );
    expect(error).to.include({ code: 'Refused', field: 'owner' });
  });
});

it('slots: what is missing is made, what is not wanted any more goes', () =>
  expect(compareSlots(['a', 'b'], ['b', 'c', 'c'])).to.deep.equal({ create: ['c'], drop: ['a'] }));
