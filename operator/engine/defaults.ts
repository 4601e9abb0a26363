import { join } from 'node:path';
import type { EngineOptions } from './options.ts';
import type { ImageFacts, QuorumSetting, Settings, Upstream } from './profile.ts';
import type { CommonOwned } from './owned.ts';
import { formatQuorum } from './quorum.ts';
import { tlsCopies } from './tls.ts';
import { upstreamConninfo } from './upstream.ts';

/** Settings of every engine of the family that a user may change. */
export function commonDefaults(image: ImageFacts): Settings {
  return {
    shared_preload_libraries: image.preload.join(','),
    // What only a restart could switch on is on from the first day, with head room for members, tools and backups. Not
    // archive_mode, for which each stop pays (docs/decisions/0017).
    wal_level: 'replica',
    // Where it is switched on nothing piles up before there is a command.
    archive_command: '/bin/true',
    max_wal_senders: '32',
    max_replication_slots: '32',
    max_worker_processes: '32',
    // A follower notices a silent RW, and a returned one, within seconds instead of minutes.
    wal_receiver_status_interval: '1s',
    wal_receiver_timeout: '5s',
    wal_retrieve_retry_interval: '500ms',
    wal_sender_timeout: '10s',
    log_line_prefix: '%m [%p] %q%u@%d %a ',
    log_timezone: 'UTC',
    timezone: 'UTC',
    lc_messages: 'C',
    lc_monetary: 'C',
    lc_numeric: 'C',
    lc_time: 'C',
    default_text_search_config: 'pg_catalog.english',
    huge_pages: 'try',
  };
}

export interface CommonFixed {
  options: EngineOptions;
  confDir: string;
  tlsDir: string;
  upstream?: Upstream;
  quorum?: QuorumSetting;
}

/** Settings of every engine of the family that hold the cluster together. */
export function commonFixed({ options, confDir, tlsDir, upstream, quorum }: CommonFixed): Record<CommonOwned, string> {
  const tls = tlsCopies(tlsDir);
  return {
    listen_addresses: '*',
    port: String(options.port),
    unix_socket_directories: options.runDir,
    unix_socket_permissions: '0700',
    hba_file: join(confDir, 'pg_hba.conf'),
    ident_file: join(confDir, 'pg_ident.conf'),
    ssl: 'on',
    ssl_cert_file: tls.cert,
    ssl_key_file: tls.key,
    password_encryption: 'scram-sha-256',
    // The supervisor takes the log from standard error.
    logging_collector: 'off',
    log_destination: 'stderr',
    hot_standby: 'on',
    primary_conninfo: upstream ? upstreamConninfo(upstream, tls.ca) : '',
    primary_slot_name: upstream?.slot ?? '',
    synchronous_standby_names: quorum ? formatQuorum(quorum) : '',
  };
}
