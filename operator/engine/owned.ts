import type { EngineName } from '../model/roles.ts';

/** Settings that every engine of the family gets from us; `commonFixed` gives a value to each. */
const COMMON = [
  'listen_addresses',
  'port',
  'unix_socket_directories',
  'unix_socket_permissions',
  'hba_file',
  'ident_file',
  'ssl',
  'ssl_cert_file',
  'ssl_key_file',
  'password_encryption',
  'logging_collector',
  'log_destination',
  'hot_standby',
  'primary_conninfo',
  'primary_slot_name',
  'synchronous_standby_names',
] as const;
export type CommonOwned = (typeof COMMON)[number];

/** The same of PolarDB; `polarFixed` gives a value to each. */
const POLAR = [
  'polar_enable_shared_storage_mode',
  'polar_vfs.localfs_mode',
  'polar_datadir',
  'polar_disk_name',
  'polar_hostid',
  'full_page_writes',
  'polar_has_partial_write',
] as const;
export type PolarOwned = (typeof POLAR)[number];

/** Never set by us so far, but they would redirect files, commits or recovery behind the operator's back. */
const REFUSED: ReadonlySet<string> = new Set([
  'config_file',
  'data_directory',
  'external_pid_file',
  'ssl_ca_file',
  'restore_command',
  'recovery_end_command',
  'archive_cleanup_command',
  'promote_trigger_file',
  'polar_storage_cluster_name',
]);

const OWNED: Readonly<Record<EngineName, ReadonlySet<string>>> = {
  postgresql: new Set<string>(COMMON),
  polardb: new Set<string>([...COMMON, ...POLAR]),
};

/** Is this setting the operator's, so that a user's value for it is refused? Names in lower case. */
export function isOwnedSetting(engine: EngineName, name: string): boolean {
  return OWNED[engine].has(name) || REFUSED.has(name) || name.startsWith('recovery_target');
}
