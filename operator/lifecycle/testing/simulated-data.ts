/** A volume with what outlives containers and pods. */
export class SimulatedVolume {
  readonly id: string;
  /** Whose data lies on it; undefined: blank. */
  clusterUid: string | undefined;
  readonly accounts = new Map<string, { password: string; level: number }>();
  readonly databases = new Map<string, { owner: string }>();

  constructor(id: string) {
    this.id = id;
  }
}

interface Engine {
  volume: SimulatedVolume;
  group: string;
  role: 'rw' | 'ro';
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
  readonly #initialized = new Set<string>();

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

  initialize(clusterUid: string, volume: SimulatedVolume): void {
    if (volume.clusterUid !== undefined) this.#violate(`initdb over the data on ${volume.id}`);
    if (this.#initialized.has(clusterUid)) this.#violate(`cluster ${clusterUid} is initialized twice`);
    this.#initialized.add(clusterUid);
    volume.clusterUid = clusterUid;
  }

  #violate(what: string): never {
    this.violations.push(what);
    throw new Error(`safety: ${what}`);
  }
}
