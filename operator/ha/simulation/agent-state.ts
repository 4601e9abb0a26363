import type { MemberState } from '../member.ts';

/** What an agent keeps on its instance's own volume: it outlives the container, never the volume. */
export interface Persisted {
  member: MemberState;
  demotedEpoch: number;
  /** What this member was last told to be. */
  plan: Plan;
  /** What the record asked for at the last promotion; of use to a mutation alone. */
  promotedWith?: MemberState['quorum'];
}

export interface Plan {
  role: 'rw' | 'ro' | 'stopped';
  /** Incarnation that WAL comes from, formatted; found by the address of its pod. */
  upstream?: string;
}

export const nothingPersisted = (): Persisted => ({ member: {}, demotedEpoch: 0, plan: { role: 'stopped' } });
