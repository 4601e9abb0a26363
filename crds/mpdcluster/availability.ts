import * as z from 'zod';
import { unchangeable, withRules } from '../rules.ts';

export const ha = z
  .object({
    durability: z
      .enum(['required', 'preferred'])
      .default('preferred')
      .describe(
        'What a commit does when no RO can acknowledge it (dbClusterType local): required waits, so that nothing acknowledged is ' +
          'ever lost; preferred goes on with the RW alone.',
      ),
    unfencedFailover: z
      .enum(['never', 'afterExpiry'])
      .default('never')
      .describe(
        'May another instance become RW on a shared volume when the host of the RW is silent and nothing proves that it stopped ' +
          'writing? never waits for a proof; afterExpiry goes on when its right has run out, at the risk of writes that were queued.',
      ),
    ttlMs: z
      .int()
      .min(2500)
      .max(60_000)
      .meta({ format: 'int32' })
      .default(3000)
      .describe(
        'Milliseconds that an RW may go on without renewing its right to write. Shorter: faster failover when a host is lost; longer: ' +
          'more patience with busy hosts and networks.',
      ),
  })
  .describe('High availability.');

/** Roles that the engines or this system make themselves. */
const RESERVED_OWNERS = ['postgres', 'aurora', 'replicator', 'polardb_admin', 'public', 'none'];
const RESERVED_DATABASES = ['postgres', 'template0', 'template1', 'polardb_admin'];

const sqlName = (reserved: string[]) =>
  withRules(
    z
      .string()
      .min(1)
      .max(63)
      .regex(/^[a-z_][a-z0-9_]*$/, 'must be lower case letters, digits and "_", not beginning with a digit'),
    [
      {
        message: `must not begin with pg_ nor be one of ${reserved.join(', ')}: these belong to the engine`,
        cel: `!self.startsWith('pg_') && !(self in ${JSON.stringify(reserved).replaceAll('"', "'")})`,
        holds: name => !name.startsWith('pg_') && !reserved.includes(name),
      },
      unchangeable('the database is made once, with the cluster'),
    ],
  );

export const initDatabase = z
  .object({
    name: sqlName(RESERVED_DATABASES).default('app').describe('Name of the database.'),
    owner: sqlName(RESERVED_OWNERS)
      .default('app')
      .describe('Role that owns it. Its password is made by the operator and stands in Secret <cluster>-app.'),
  })
  .describe('Database for the application, made with the cluster.');
