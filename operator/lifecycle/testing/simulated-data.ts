import type { AgentConfig } from '../../agent-api/config.ts';
import type { AgentState } from '../../agent-api/state.ts';
import type { CommandStamp } from '../../ha/command.ts';
import type { Incarnation } from '../../ha/incarnation.ts';
import type { GroupRecord } from '../../ha/record.ts';

/** What an agent keeps on its instance's own volume. */
export interface Persisted {
  highest?: CommandStamp;
  demotedEpoch?: number;
  plan: AgentState['plan'];
  settings: Readonly<Record<string, string>>;
}

/** A volume with what outlives containers and pods. */
export class SimulatedVolume {
  readonly id: string;
  identity: { clusterUid: string; epoch: number } | undefined;
  data: 'blank' | 'partial' | 'initialized' = 'blank';
  systemId: string | undefined;
  persisted: Persisted = { plan: { role: 'stopped' }, settings: {} };
  readonly slots = new Set<string>();
  readonly accounts = new Map<string, { password: string; level: number }>();
  readonly databases = new Map<string, { owner: string }>();

  constructor(id: string) {
    this.id = id;
  }

  /** As an agent of this cluster sees it. */
  state(clusterUid: string): AgentState['volume'] {
    const { identity, data, systemId } = this;
    if (!identity) return { state: data === 'blank' ? 'blank' : 'foreign' };
    return { ...identity, systemId, state: identity.clusterUid === clusterUid ? data : 'foreign' };
  }
}

interface Engine {
  volume: SimulatedVolume;
  group: string;
  role: 'rw' | 'ro' | 'standby';
}

/**
 * Watches over what must never happen, whoever asks for it: two engines on one data directory, two RW of one group,
 * initdb over data, a second initdb of one cluster. A violation is thrown at once and kept, so that nothing that
 * swallows the error hides it.
 */
export class Safety {
  readonly violations: string[] = [];
  /** By incarnation. */
  readonly engines = new Map<string, Engine>();
  readonly #initialized = new Map<string, number>();

  engineStarts(incarnation: string, engine: Engine): void {
    for (const [other, { volume, group, role }] of this.engines) {
      if (volume === engine.volume) this.#violate(`${incarnation} starts on the data of ${other}`);
      if (role === 'rw' && engine.role === 'rw' && group === engine.group) {
        this.#violate(`${incarnation} becomes RW of ${group} beside ${other}`);
      }
    }
    this.engines.set(incarnation, engine);
  }

  engineEnds(incarnation: string): void {
    this.engines.delete(incarnation);
  }

  initialized(clusterUid: string, volume: SimulatedVolume): void {
    if (volume.data === 'initialized') this.#violate(`initdb over the data on ${volume.id}`);
    const times = (this.#initialized.get(clusterUid) ?? 0) + 1;
    this.#initialized.set(clusterUid, times);
    if (times > 1) this.#violate(`cluster ${clusterUid} is initialized ${times} times`);
  }

  #violate(what: string): never {
    this.violations.push(what);
    throw new Error(`safety: ${what}`);
  }
}

/** What a follower needs of its RW. */
interface WalSource {
  /** The system whose WAL it sends through this slot; undefined when it is no running RW with that slot. */
  feeds(slot: string): string | undefined;
}

/** What an agent finds around it. */
export interface AgentSurroundings {
  safety: Safety;
  now: () => Date;
  /** A direct read of the record that the configuration names. */
  readRecord: (at: AgentConfig['record']) => Promise<GroupRecord | undefined>;
  /** The agent behind an address, if its container runs. */
  agentAt: (address: string) => WalSource | undefined;
}

export interface AgentParts {
  config: AgentConfig;
  incarnation: Incarnation;
  /** Mounted at `/data`. */
  own: SimulatedVolume;
  /** Where the database lies: `own`, or the shared volume. */
  data: SimulatedVolume;
  around: AgentSurroundings;
}
