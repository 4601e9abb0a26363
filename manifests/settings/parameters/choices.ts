/**
 * Which parameters a template offers. What a parameter is (type, unit, range, restart or not) comes from the engine's
 * own list; here stands only what is chosen: who may change it and the default (null: the engine's own).
 * Names that the engine profiles own (addresses, TLS, replication, logging to files, paths) are not here.
 */
export interface ParameterChoices {
  /** For every user. */
  user: Readonly<Record<string, string | null>>;
  /** For users who know why; hidden in consoles, as the original does. */
  expert: Readonly<Record<string, string | null>>;
  /** Set for everyone, not for users. */
  locked: Readonly<Record<string, string>>;
}

/**
 * Both engines. Formulas count in MB of memory, cores and MB of volume of the cluster's class, so that a class without
 * parameters of its own starts and fits.
 */
export const commonChoices: ParameterChoices = {
  user: {
    // Memory and connections
    max_connections: '{greatest(100, least(3300, memory / 4))}',
    shared_buffers: '{memory / 4}',
    work_mem: '4096',
    maintenance_work_mem: '{greatest(64, least(2048, memory / 16))}',
    effective_cache_size: '{memory * 3 / 4}',
    hash_mem_multiplier: null,
    logical_decoding_work_mem: null,
    temp_file_limit: null,
    idle_in_transaction_session_timeout: '3600000',
    idle_session_timeout: null,
    statement_timeout: null,
    lock_timeout: null,
    client_connection_check_interval: null,
    // Write-ahead log and checkpoints
    wal_level: 'logical',
    wal_compression: 'on',
    checkpoint_timeout: '300',
    checkpoint_completion_target: '0.9',
    max_slot_wal_keep_size: null,
    track_commit_timestamp: 'off',
    // Vacuum
    autovacuum_vacuum_cost_delay: '0',
    autovacuum_vacuum_cost_limit: '10000',
    // Planner
    random_page_cost: '1.1',
    effective_io_concurrency: null,
    default_statistics_target: null,
    enable_partitionwise_aggregate: 'on',
    enable_partitionwise_join: 'on',
    jit: 'off',
    max_parallel_workers: '{greatest(2, cpu)}',
    max_parallel_workers_per_gather: '2',
    max_parallel_maintenance_workers: '2',
    min_parallel_index_scan_size: null,
    min_parallel_table_scan_size: null,
    // What is logged
    log_min_duration_statement: null,
    log_statement: null,
    log_temp_files: '100000',
    log_lock_waits: 'on',
    log_autovacuum_min_duration: '10000',
    'auto_explain.log_analyze': null,
    'auto_explain.log_buffers': null,
    'auto_explain.log_format': null,
    'auto_explain.log_min_duration': '5000',
    'auto_explain.log_nested_statements': null,
    'auto_explain.log_timing': null,
    'auto_explain.log_triggers': null,
    'auto_explain.log_verbose': null,
    'auto_explain.sample_rate': null,
    track_io_timing: 'on',
    track_functions: 'pl',
    // Sessions
    default_transaction_deferrable: null,
    default_transaction_isolation: null,
    default_text_search_config: null,
    extra_float_digits: null,
    search_path: null,
    DateStyle: null,
    IntervalStyle: null,
    TimeZone: 'UTC',
    log_timezone: 'UTC',
  },
  expert: {
    // Libraries beside those that the engine profile loads.
    shared_preload_libraries: null,
    max_worker_processes: '64',
    max_wal_senders: '32',
    max_replication_slots: '32',
    max_logical_replication_workers: '16',
    max_sync_workers_per_subscription: '4',
    max_prepared_transactions: '{greatest(64, least(800, memory / 16))}',
    max_locks_per_transaction: null,
    max_files_per_process: null,
    track_activity_query_size: null,
    temp_buffers: null,
    wal_buffers: '16MB',
    max_wal_size: '{least(6144, greatest(256, storage / 5))}',
    min_wal_size: '{least(1024, greatest(80, storage / 20))}',
    wal_keep_size: null,
    wal_writer_delay: null,
    commit_delay: null,
    commit_siblings: null,
    checkpoint_flush_after: null,
    backend_flush_after: null,
    bgwriter_delay: null,
    bgwriter_lru_maxpages: '1000',
    bgwriter_lru_multiplier: '10',
    autovacuum_max_workers: '5',
    autovacuum_work_mem: null,
    autovacuum_naptime: '30',
    autovacuum_analyze_scale_factor: '0.05',
    autovacuum_analyze_threshold: null,
    autovacuum_vacuum_scale_factor: '0.02',
    autovacuum_vacuum_threshold: null,
    autovacuum_vacuum_insert_scale_factor: null,
    autovacuum_vacuum_insert_threshold: null,
    autovacuum_freeze_max_age: null,
    autovacuum_multixact_freeze_max_age: null,
    vacuum_cost_delay: null,
    vacuum_cost_limit: null,
    vacuum_cost_page_dirty: null,
    vacuum_freeze_min_age: null,
    vacuum_freeze_table_age: null,
    vacuum_multixact_freeze_min_age: null,
    vacuum_multixact_freeze_table_age: null,
    deadlock_timeout: null,
    max_standby_streaming_delay: null,
    max_standby_archive_delay: null,
    seq_page_cost: null,
    cpu_tuple_cost: null,
    cpu_index_tuple_cost: null,
    cpu_operator_cost: null,
    parallel_setup_cost: null,
    parallel_tuple_cost: null,
    cursor_tuple_fraction: null,
    constraint_exclusion: null,
    plan_cache_mode: null,
    from_collapse_limit: null,
    join_collapse_limit: null,
    geqo: null,
    geqo_threshold: null,
    gin_fuzzy_search_limit: null,
    gin_pending_list_limit: null,
    enable_bitmapscan: null,
    enable_gathermerge: null,
    enable_hashagg: null,
    enable_hashjoin: null,
    enable_incremental_sort: null,
    enable_indexonlyscan: null,
    enable_indexscan: null,
    enable_material: null,
    enable_memoize: null,
    enable_mergejoin: null,
    enable_nestloop: null,
    enable_parallel_append: null,
    enable_parallel_hash: null,
    enable_partition_pruning: null,
    enable_seqscan: null,
    enable_sort: null,
    enable_tidscan: null,
    log_connections: null,
    log_disconnections: null,
    log_duration: null,
    log_error_verbosity: null,
    'pg_stat_statements.max': '5000',
    'pg_stat_statements.track': 'all',
    tcp_keepalives_idle: '60',
    tcp_keepalives_interval: '10',
    tcp_keepalives_count: '10',
  },
  locked: {
    superuser_reserved_connections: '10',
    authentication_timeout: '60',
    // Statements like ALTER ROLE ... PASSWORD must not be kept with their text.
    'pg_stat_statements.track_utility': 'off',
  },
};

/** What only PolarDB has, or wants otherwise: it reads past the page cache, so its own buffers are larger. */
export const polardbChoices: ParameterChoices = {
  user: {
    shared_buffers: '{memory * 3 / 8}',
    effective_cache_size: '{memory * 3 / 8}',
    old_snapshot_threshold: null,
    vacuum_defer_cleanup_age: null,
  },
  expert: {
    polar_bgwriter_batch_size: null,
    polar_bgwriter_flush_batch_size: null,
    polar_bgwriter_sleep_lsn_lag: null,
    polar_buffer_copy_min_modified_count: null,
    polar_buffer_copy_threshold_lag: null,
    polar_check_checkpoint_interval: null,
    polar_clog_slot_size: null,
    polar_copy_buffers: '{greatest(8, least(128, memory / 64))}',
    polar_parallel_bgwriter_check_interval: null,
    polar_parallel_bgwriter_delay: null,
    polar_parallel_flush_workers: '5',
    polar_parallel_new_bgwriter_threshold_time: null,
    polar_parallel_replay_proc_num: null,
    // It ends sessions by counters of cgroup v1; here the container's limit is what counts.
    'polar_resource_manager.enable_resource_manager': 'off',
  },
  locked: {
    // The engine does not start unless polar_xlog_queue_buffers is at least three times as large.
    wal_buffers: '{greatest(1, least(16, memory / 128))}',
    polar_logindex_bloom_blocks: '1024',
    polar_logindex_mem_size: '{greatest(16, least(6144, memory / 32))}',
    polar_parallel_new_bgwriter_threshold_lag: '{greatest(256, least(6144, memory / 32))}',
    polar_xlog_page_buffers: '{greatest(16, least(7168, memory / 32))}',
    polar_xlog_queue_buffers: '{greatest(16, least(6144, memory / 32))}',
  },
};

/** Narrower than what the engine takes, or a form for free text. */
export const LIMITS: Readonly<Record<string, string>> = {
  wal_level: '[replica|logical]',
  // Fewer would leave none for users beside the reserved ones.
  max_connections: '[25-262143]',
  // Followers and their replacements need senders and slots.
  max_wal_senders: '[10-262143]',
  max_replication_slots: '[10-262143]',
  max_worker_processes: '[16-262143]',
  wal_compression: '[on|off]',
  TimeZone: '^[A-Za-z0-9_+/-]+$',
  log_timezone: '^[A-Za-z0-9_+/-]+$',
  DateStyle: '^[A-Za-z]+(, ?[A-Za-z]+)?$',
  shared_preload_libraries: '^[\\w$/.-]+( *, *[\\w$/.-]+)*$',
  default_text_search_config: '^[\\w.]+$',
};
