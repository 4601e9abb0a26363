import { acceptCommand, type CommandStamp } from './command.ts';
import type { Incarnation } from './incarnation.ts';

/**
 * What an agent keeps on its volume of the commands that it took: all of it is durable before it obeys. Nothing of it
 * ever goes back, neither by a restart nor by a read of the record.
 */
export interface MemberState {
  highest?: CommandStamp;
  /** Highest epoch that it prepared for. */
  preparedEpoch?: number;
  /** Synchronous replication: generation and the setting that belongs to it. */
  quorum?: QuorumSetting;
}

export interface QuorumSetting {
  epoch: number;
  generation: number;
  members: readonly Incarnation[];
  k: number;
}

export type Taken =
  | { accepted: true; state: MemberState }
  | { accepted: false; reason: 'ForeignCluster' | 'StaleCommand' | 'StaleGeneration' };

/** Takes `prepare`: after it no promise goes to an older epoch, and what it reports as prepared is for this epoch. */
export function takePrepare(state: MemberState, stamp: CommandStamp): Taken {
  const acceptance = acceptCommand(state.highest, stamp);
  if (!acceptance.accepted) return acceptance;
  const preparedEpoch = Math.max(state.preparedEpoch ?? 0, stamp.epoch);
  return { accepted: true, state: { ...state, highest: acceptance.highest, preparedEpoch } };
}

/**
 * Takes a setting of synchronous replication. A lower generation is never obeyed, and one generation never means two
 * settings: what differs under the same number is refused.
 */
export function takeQuorum(state: MemberState, stamp: CommandStamp, setting: Omit<QuorumSetting, 'epoch'>): Taken {
  const acceptance = acceptCommand(state.highest, stamp);
  if (!acceptance.accepted) return acceptance;
  const { quorum } = state;
  if (quorum && setting.generation < quorum.generation) return { accepted: false, reason: 'StaleGeneration' };
  if (quorum?.generation === setting.generation && !isSameSetting(quorum, setting)) {
    return { accepted: false, reason: 'StaleGeneration' };
  }
  return {
    accepted: true,
    state: { ...state, highest: acceptance.highest, quorum: { epoch: stamp.epoch, ...setting } },
  };
}

function isSameSetting(a: Omit<QuorumSetting, 'epoch'>, b: Omit<QuorumSetting, 'epoch'>): boolean {
  const names = (it: typeof a): string =>
    it.members
      .map(m => `${m.instanceId}/${m.podUid}/${m.nonce}`)
      .sort()
      .join(' ');
  return a.k === b.k && names(a) === names(b);
}
