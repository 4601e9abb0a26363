import { quoteHba } from './conf.ts';

/** Superuser of every engine of ours: only over the socket, only for the agent's OS user, without a password. */
export const SUPERUSER = 'postgres';
/** Role that followers stream with; its password comes from a Secret. */
export const REPLICATOR = 'replicator';
/** Proves by a write of its own that the RW takes writes, over the socket; may do nothing else. */
export const PROBE = 'polardb_stack_probe';
/** The probe's table, in database `postgres`. */
export const PROBE_TABLE = 'polardb_stack.probe';
/** May read all statistics and nothing else; for exporters and probes, over the socket. */
export const MONITOR = 'polardb_stack_monitor';

const MAP = 'agent';

/**
 * pg_hba.conf: first match wins. Nothing passes without TLS; the superuser never comes over the network. Replication
 * is open by role, not by address, because a pod network may show any address (it masquerades).
 */
export function formatHbaFile(): string {
  const superuser = quoteHba(SUPERUSER);
  const own = [MONITOR, PROBE].map(quoteHba).join(',');
  return [
    `local     all         ${superuser}  peer map=${MAP}`,
    `local     all         ${own}  peer map=${MAP}`,
    'local     all         all  scram-sha-256',
    'hostnossl all         all  all  reject',
    'hostnossl replication all  all  reject',
    `hostssl   all         ${superuser},${own}  all  reject`,
    `hostssl   replication ${quoteHba(REPLICATOR)}  all  scram-sha-256`,
    'hostssl   replication all  all  reject',
    'hostssl   all         all  all  scram-sha-256',
    '',
  ].join('\n');
}

/** pg_ident.conf: the agent's OS user may be superuser, monitor and probe. */
export function formatIdentFile(osUser: string): string {
  return [SUPERUSER, MONITOR, PROBE].map(role => `${MAP} ${quoteHba(osUser)} ${quoteHba(role)}\n`).join('');
}

/**
 * Statements of a new database system, for single-user mode with -j: each ends with an empty line. Both roles lower
 * synchronous_commit, or a dead follower would look like a dead RW to a probe (protocol, Moves).
 */
export const FIRST_STATEMENTS = [
  `CREATE ROLE ${MONITOR} LOGIN CONNECTION LIMIT 10`,
  `GRANT pg_monitor TO ${MONITOR}`,
  `ALTER ROLE ${MONITOR} SET synchronous_commit = local`,
  `CREATE ROLE ${PROBE} LOGIN CONNECTION LIMIT 10`,
  `ALTER ROLE ${PROBE} SET synchronous_commit = local`,
  'CREATE SCHEMA polardb_stack',
  `CREATE TABLE ${PROBE_TABLE} (id smallint PRIMARY KEY, at timestamptz NOT NULL) WITH (fillfactor = 50)`,
  `INSERT INTO ${PROBE_TABLE} VALUES (1, now())`,
  `GRANT USAGE ON SCHEMA polardb_stack TO ${PROBE}`,
  `GRANT SELECT, UPDATE ON ${PROBE_TABLE} TO ${PROBE}`,
]
  .map(statement => `${statement};\n\n`)
  .join('');
