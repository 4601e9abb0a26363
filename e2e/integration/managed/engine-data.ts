import type { Report } from '../../../operator/agent-api/beat.ts';
import type { Quorum } from '../../../operator/agent-api/state.ts';
import type { CommandStamp } from '../../../operator/ha/command.ts';
import type { SimulatedVolume } from '../../../operator/lifecycle/testing/simulated-data.ts';

/** What an agent keeps on its instance's own volume. */
export interface Kept {
  plan: Report['plan'];
  highest?: CommandStamp;
  demotedEpoch?: number;
  quorum?: Quorum;
  settingsHash?: string;
}

/** What lies on a data volume beside the rows. */
export interface Identity {
  epoch: number;
  timeline: number;
}

const kept = new WeakMap<SimulatedVolume, Kept>();
const identities = new WeakMap<SimulatedVolume, Identity>();

/** Outlives containers and pods, as the volume does. */
export function keptOn(volume: SimulatedVolume): Kept {
  const found = kept.get(volume) ?? { plan: { role: 'stopped' } };
  kept.set(volume, found);
  return found;
}

export function identityOf(volume: SimulatedVolume): Identity {
  const found = identities.get(volume) ?? { epoch: 0, timeline: 1 };
  identities.set(volume, found);
  return found;
}
