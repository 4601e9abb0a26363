import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** The two static helpers of our image, as Debian installs them. */
export const HELPERS = { tini: '/usr/bin/tini-static', busybox: '/usr/bin/busybox' } as const;

/** Installs the helpers when the machine lacks them; tests with processes run as root on Debian. */
export async function findHelpers(): Promise<typeof HELPERS> {
  const missing = await Promise.all(
    Object.values(HELPERS).map(path =>
      access(path).then(
        () => false,
        () => true,
      ),
    ),
  );
  if (missing.includes(true)) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    await execute('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'tini', 'busybox-static'], { env });
  }
  return HELPERS;
}
