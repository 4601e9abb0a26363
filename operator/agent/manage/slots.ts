import { SLOT_PREFIX } from '../../engine/slots.ts';
import type { SlotsResult } from '../../agent-api/state.ts';
import type { Sql } from './accounts.ts';

interface Slot {
  name: string;
  pid: number | null;
}

/**
 * Makes the members' slots be exactly these. Only physical slots with our prefix are touched: a slot of a backup tool or
 * of a subscriber is its owner's. One that is in use is freed first, since a removed member's receiver may still hang.
 */
export function ensureSlots(sql: Sql, wanted: readonly string[]): Promise<SlotsResult> {
  return sql(async session => {
    const found = await session.query<Slot>(
      `SELECT slot_name AS name, active_pid AS pid FROM pg_replication_slots
       WHERE slot_type = 'physical' AND starts_with(slot_name, $1)`,
      [SLOT_PREFIX],
    );
    const { create, drop } = compareSlots(
      found.map(({ name }) => name),
      wanted,
    );
    // At once, not with the first connection: the base backup that follows needs the WAL from now on.
    for (const name of create) await session.query('SELECT pg_create_physical_replication_slot($1, true)', [name]);
    for (const name of drop) {
      const pid = found.find(slot => slot.name === name)?.pid;
      if (pid != null) await session.query('SELECT pg_terminate_backend($1, 2000)', [pid]);
      await session.query('SELECT pg_drop_replication_slot($1)', [name]);
    }
    return { created: create, dropped: drop };
  });
}

export function compareSlots(
  found: readonly string[],
  wanted: readonly string[],
): { create: string[]; drop: string[] } {
  return {
    create: [...new Set(wanted)].filter(name => !found.includes(name)),
    drop: found.filter(name => !wanted.includes(name)),
  };
}
