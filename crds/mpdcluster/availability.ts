import * as z from 'zod';
import { unchangeable, withRules, type Rule } from '../rules.ts';

const ms = (usual: number, [least, most]: readonly [number, number], what: string) =>
  z.int().min(least).max(most).meta({ format: 'int32' }).default(usual).describe(what);

const haFields = z.object({
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
  ttlMs: ms(
    3000,
    [2500, 60_000],
    'Milliseconds that an RW may go on without renewing its right to write. Shorter: faster failover when a host is lost; longer: ' +
      'more patience with busy hosts and networks.',
  ),
  marginMs: ms(
    500,
    [500, 10_000],
    'Milliseconds that are waited beyond ttlMs before a silent RW counts as stopped: clocks drift, and killing takes time. At ' +
      'least 300 and 2 % of ttlMs.',
  ),
  beatMs: ms(500, [100, 5000], 'Milliseconds between two reports of an instance to the cluster manager.'),
  silentMs: ms(
    1500,
    [300, 60_000],
    'Milliseconds after which an instance that reports nothing counts as silent. At least two beats.',
  ),
  quorumWaitMs: ms(
    300,
    [50, 10_000],
    'Milliseconds that the ROs have for their answers after the engine of the RW has crashed; then it is started again in its place.',
  ),
  coldStartMs: ms(
    30_000,
    [1000, 600_000],
    'Milliseconds that the former RW is waited for when the whole cluster starts, before another instance may take its place.',
  ),
  memberLostMs: ms(
    3000,
    [500, 60_000],
    'Milliseconds after which commits no longer wait for an RO that does not stream (dbClusterType local).',
  ),
  catchUpMs: ms(
    10_000,
    [1000, 600_000],
    'Milliseconds that the target of a planned switchover may take to catch up; then the switchover is refused.',
  ),
  stopMs: ms(
    2000,
    [500, 600_000],
    'Milliseconds that the engine of the RW has for a planned stop; then what is left of it is killed.',
  ),
  withdrawMs: ms(
    10_000,
    [1000, 600_000],
    'Milliseconds after which Service <cluster>-rw leads nowhere while the RW is away; before that, clients are refused at once.',
  ),
});
type HaFields = z.output<typeof haFields>;

/** Relations that make the protocol's proof hold. */
const haRules: readonly Rule<HaFields>[] = [
  {
    field: '.silentMs',
    message: 'must be at least two beats (beatMs)',
    cel: 'self.silentMs >= 2 * self.beatMs',
    holds: ({ silentMs, beatMs }) => silentMs >= 2 * beatMs,
  },
  {
    field: '.ttlMs',
    message: 'must be at least three beats (beatMs)',
    cel: 'self.ttlMs >= 3 * self.beatMs',
    holds: ({ ttlMs, beatMs }) => ttlMs >= 3 * beatMs,
  },
  {
    field: '.marginMs',
    message: 'must be at least 300 and 2 % of ttlMs',
    cel: '50 * self.marginMs >= 15000 + self.ttlMs',
    holds: ({ marginMs, ttlMs }) => 50 * marginMs >= 15_000 + ttlMs,
  },
];

/** Written out in the schema: the API server checks a default against the rules before it fills in what is below. */
export const haDefaults = haFields.parse({});

export const ha = withRules(haFields, haRules).describe('High availability.');

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
