import { formatConninfo } from './conf.ts';
import { REPLICATOR } from './access.ts';
import { EngineError } from './errors.ts';
import type { Upstream } from './profile.ts';

/** PostgreSQL cuts longer names off, and two incarnations would look like one. */
const NAME_BYTES = 63;

/**
 * How a follower reaches its RW, for primary_conninfo and base backups. The password stands in the passfile.
 * `tcp_user_timeout`: readers of PolarDB freeze without an error when the RW's host vanishes (facts/engines.md 9).
 * @throws EngineError `BadArgument` on a slot or application name that the engine would not take as it is
 */
export function upstreamConninfo(upstream: Upstream, caFile: string): string {
  if (!/^[a-z0-9_]{1,63}$/.test(upstream.slot)) {
    throw new EngineError('BadArgument', `"${upstream.slot}" is no slot name: a-z, 0-9 and _, at most 63 characters`);
  }
  if (Buffer.byteLength(upstream.applicationName) > NAME_BYTES) {
    throw new EngineError('BadArgument', `application name "${upstream.applicationName}" has over ${NAME_BYTES} bytes`);
  }
  return formatConninfo({
    host: upstream.host,
    hostaddr: upstream.address,
    port: upstream.port,
    user: REPLICATOR,
    passfile: upstream.passFile,
    application_name: upstream.applicationName,
    sslmode: 'verify-full',
    sslrootcert: caFile,
    gssencmode: 'disable',
    connect_timeout: 5,
    tcp_user_timeout: 2000,
  });
}
