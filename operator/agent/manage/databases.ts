import { AgentError } from '../../agent-api/errors.ts';
import type { DatabaseRequest } from '../../agent-api/requests.ts';
import type { MadeResult } from '../../agent-api/state.ts';
import { quoteIdentifier, quoteLiteral } from '../../engine/sql.ts';
import type { Sql } from './accounts.ts';

/** Creates the database when it is missing, and gives it to its owner. @throws AgentError `Refused` without the owner */
export function ensureDatabase(sql: Sql, request: DatabaseRequest): Promise<MadeResult> {
  const { name, owner } = request;
  return sql(async session => {
    const owners = await session.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [owner]);
    if (owners.length === 0) throw new AgentError('Refused', `no account "${owner}"`, { field: 'owner' });
    const [found] = await session.query<{ owner: string }>(
      'SELECT pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = $1',
      [name],
    );
    if (!found) await session.query(createStatement(request));
    else if (found.owner !== owner) {
      await session.query(`ALTER DATABASE ${quoteIdentifier(name)} OWNER TO ${quoteIdentifier(owner)}`);
    }
    return { created: !found };
  });
}

/** Another encoding or locale than template1's is only possible from template0. */
export function createStatement({ name, owner, encoding, locale }: DatabaseRequest): string {
  const options = [
    ...(encoding === undefined ? [] : [`ENCODING ${quoteLiteral(encoding)}`]),
    ...(locale === undefined ? [] : [`LOCALE ${quoteLiteral(locale)}`]),
  ];
  const template = options.length > 0 ? ['TEMPLATE template0'] : [];
  return [`CREATE DATABASE ${quoteIdentifier(name)} OWNER ${quoteIdentifier(owner)}`, ...template, ...options].join(
    ' ',
  );
}
