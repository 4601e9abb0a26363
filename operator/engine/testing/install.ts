import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { EngineError } from '../errors.ts';
import { inspectImage } from '../image.ts';
import type { ImageFacts } from '../profile.ts';
import type { OsUser } from '../programs.ts';
import { runProgram } from '../programs.ts';

const execute = promisify(execFile);

/** The machine's PostgreSQL; on Debian as root it is installed when it is missing. */
export async function findPostgres(): Promise<ImageFacts> {
  try {
    return await inspectImage({ run: runProgram });
  } catch (error) {
    const canInstall = error instanceof EngineError && error.code === 'EngineMissing' && process.getuid?.() === 0;
    if (!canInstall) throw error;
  }
  await installDebianPackage();
  return inspectImage({ run: runProgram });
}

/** Without recommends, and without the cluster that the package would create and start. */
async function installDebianPackage(): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', PG_CLUSTER_CONF_ROOT: '/nonexistent' };
  await execute('apt-get', ['update', '-qq'], { env });
  await execute('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'postgresql-15'], { env });
}

/** An unprivileged user with a passwd entry when the tests run as root, which the engine refuses to be. */
export async function engineUser(): Promise<OsUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const passwd = await readFile('/etc/passwd', 'utf8');
  const entry = /^postgres:[^:]*:(\d+):(\d+):/m.exec(passwd) ?? /^nobody:[^:]*:(\d+):(\d+):/m.exec(passwd);
  if (!entry) throw new Error('the machine has neither a user postgres nor nobody');
  return { uid: Number(entry[1]), gid: Number(entry[2]) };
}
