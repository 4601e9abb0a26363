import type { Clock } from '../kube/clock.ts';
import type { LogsFact } from './logs/fact.ts';
import type { NetworkFact } from './network/fact.ts';
import type { PortsFact } from './ports/fact.ts';
import type { VersionsFact } from './versions/fact.ts';
import type { VolumesFact } from './volumes/fact.ts';

/** What is known of a host, by the job that finds it out. */
export interface FactTypes {
  ports: PortsFact;
  versions: VersionsFact;
  logs: LogsFact;
  network: NetworkFact;
  volumes: VolumesFact;
}

export type FactName = keyof FactTypes;

/** A fact and how old it is: a loop that fails keeps its last fact, which says so by its age. */
export interface AgedFact<K extends FactName> {
  fact: FactTypes[K];
  /** When it was found out. */
  at: Date;
  ageMs: number;
}

export type AllFacts = { readonly [K in FactName]?: AgedFact<K> };

/** The last known facts of this host. */
export class HostFacts {
  readonly #clock: Clock;
  readonly #known: { [K in FactName]?: { fact: FactTypes[K]; at: Date; since: number } } = {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  publish<K extends FactName>(name: K, fact: FactTypes[K]): void {
    (this.#known as Record<K, unknown>)[name] = { fact, at: this.#clock.date(), since: this.#clock.now() };
  }

  get<K extends FactName>(name: K): AgedFact<K> | undefined {
    const known = this.#known[name];
    return known && { fact: known.fact, at: known.at, ageMs: this.#clock.now() - known.since };
  }

  all(): AllFacts {
    const names = Object.keys(this.#known) as FactName[];
    return Object.fromEntries(names.map(name => [name, this.get(name)]));
  }
}
