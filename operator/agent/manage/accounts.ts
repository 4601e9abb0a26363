import { ACCOUNT_LEVELS, type AccountLevel, type AccountRequest } from '../../agent-api/requests.ts';
import type { MadeResult } from '../../agent-api/state.ts';
import { quoteIdentifier, quoteLiteral, type Session } from '../../engine/sql.ts';
import { scramVerifier } from './scram.ts';

/** Runs `use` in one session on the database `postgres` as superuser. */
export type Sql = <T>(use: (session: Session) => Promise<T>) => Promise<T>;

/** Attributes of the original's levels (facts: accounts). Every attribute is named, so that a lower level takes away. */
export function attributes(level: AccountLevel): string {
  switch (level) {
    case 1:
      return 'NOSUPERUSER CREATEROLE CREATEDB NOREPLICATION LOGIN';
    case 6:
      return 'NOSUPERUSER CREATEROLE CREATEDB REPLICATION LOGIN';
    case 7:
      return 'SUPERUSER NOREPLICATION LOGIN';
    case 15:
      return 'SUPERUSER REPLICATION LOGIN';
  }
}

/** Level 6 was POLAR_SUPERUSER in the original's engine 11; version 15 has these predefined roles for the same work. */
const PRIVILEGED_GRANTS = ['pg_monitor', 'pg_read_all_data', 'pg_write_all_data', 'pg_signal_backend'];

/** Sessions of superusers do not depend on what users set for the cluster (the original's list). */
const SUPERUSER_SETTINGS: Readonly<Record<string, string>> = {
  timezone: 'UTC',
  datestyle: 'ISO, YMD',
  extra_float_digits: '0',
  lock_timeout: '0',
  statement_timeout: '0',
  idle_in_transaction_session_timeout: '3600000',
};

/** Creates the account or gives it the level's attributes and the password. Repeating it changes nothing but the salt. */
export async function ensureAccount(sql: Sql, request: AccountRequest): Promise<MadeResult> {
  const verifier = await scramVerifier(request.password);
  return sql(async session => {
    const found = await session.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [request.name]);
    const verb = found.length > 0 ? 'ALTER' : 'CREATE';
    await session.query('BEGIN');
    // A verifier can be guessed at off line, so it stays out of the log even where all statements are logged.
    await session.query("SET LOCAL log_statement = 'none'");
    await session.query('SET LOCAL log_min_duration_statement = -1');
    await session.query("SET LOCAL log_min_error_statement = 'panic'");
    for (const statement of statements(verb, request, verifier)) await session.query(statement);
    await session.query('COMMIT');
    return { created: found.length === 0 };
  });
}

function statements(verb: 'ALTER' | 'CREATE', { name, level }: AccountRequest, verifier: string): string[] {
  const role = quoteIdentifier(name);
  const isSuperuser = level === ACCOUNT_LEVELS.superuser || level === ACCOUNT_LEVELS.replicator;
  const settings = isSuperuser ? Object.entries(SUPERUSER_SETTINGS) : [];
  return [
    `${verb} ROLE ${role} WITH ${attributes(level)} PASSWORD ${quoteLiteral(verifier)}`,
    ...settings.map(([setting, value]) => `ALTER ROLE ${role} SET ${setting} = ${quoteLiteral(value)}`),
    ...(level === ACCOUNT_LEVELS.privileged ? [`GRANT ${PRIVILEGED_GRANTS.join(', ')} TO ${role}`] : []),
  ];
}
