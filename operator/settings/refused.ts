/** Names of the original's parameter template (PolarDB 11) that engines of version 15 do not know: a start with one fails. */
export const refusedBy15: ReadonlySet<string> = new Set([
  'polar_bgwriter_batch_size_flushlist',
  'polar_bgwriter_max_batch_size',
  'polar_buffer_copy_lsn_lag_with_cons_lsn',
  'polar_check_checkpoint_legal_interval',
  'polar_enable_lazy_checkpoint',
  'polar_enable_master_xlog_read_ahead',
  'polar_parallel_bgwriter_workers',
  'polar_read_ahead_xlog_num',
  'vacuum_cleanup_index_scale_factor',
  'wal_keep_segments',
]);
