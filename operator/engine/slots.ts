import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Prefix of the physical replication slots that are ours; slots of other names are never touched. */
export const SLOT_PREFIX = 'polardb_stack_';

/**
 * Removes members' slots of an engine that does not run. On a follower, slots of its time as RW are moved on by nobody,
 * and they would keep WAL until the disk is full.
 * @param directory where the engine keeps its slots; may be missing
 */
export async function dropMemberSlots(directory: string): Promise<void> {
  for (const name of await readdir(directory).catch((): string[] => [])) {
    if (name.startsWith(SLOT_PREFIX)) await rm(join(directory, name), { recursive: true });
  }
}
