/** Prefix of the physical replication slots that are ours; slots of other names are never touched. */
export const SLOT_PREFIX = 'polardb_stack_';
