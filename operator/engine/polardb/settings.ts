import type { PolarOwned } from '../owned.ts';
import type { Settings } from '../profile.ts';

/**
 * PolarDB's own settings that a user may change. With a configuration of our own the log index and page buffers would
 * be 0 and must be set (facts/engines.md 9).
 */
export const POLAR_DEFAULTS: Settings = {
  polar_logindex_mem_size: '64MB',
  polar_xlog_queue_buffers: '64MB',
  polar_xlog_page_buffers: '64MB',
  polar_copy_buffers: '16MB',
  // The engine's own defaults (64 GB, 5 GB) fill a small volume.
  max_wal_size: '4GB',
  min_wal_size: '256MB',
  // Else the last record of a base backup is flushed, and so received, when something else is: up to 15 s later.
  polar_enable_switch_wal_in_backup: 'on',
  // By default each FATAL comes with a stack: a refused client, or a member's receiver while its RW is away.
  polar_save_stack_info_level: 'panic',
  // It ends idle sessions by a memory account that knows cgroup v1 only, and below 512 MiB its own clients: the
  // container's limit is the guard.
  'polar_resource_manager.enable_resource_manager': 'off',
};

/**
 * PolarDB's settings that make one file system serve all members. Direct I/O, because a page cache of one host would
 * not see what another host wrote.
 * @param dataDirectory absolute, without a slash at its end
 */
export function polarFixed(dataDirectory: string, hostId: number): Record<PolarOwned, string> {
  return {
    polar_enable_shared_storage_mode: 'on',
    'polar_vfs.localfs_mode': 'on',
    polar_datadir: `file-dio://${dataDirectory}`,
    polar_disk_name: 'shared',
    polar_hostid: String(hostId),
    // No file system writes 8 kB at once. Off, as samples have it, a page torn by a power cut keeps the database from
    // starting (FATAL: invalid page); on, recovery begins it anew from the last checkpoint (both seen).
    full_page_writes: 'on',
    polar_has_partial_write: 'on',
  };
}
