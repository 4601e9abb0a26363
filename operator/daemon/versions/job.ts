import type { FactMap } from '../fact-map.ts';
import type { HostFacts } from '../facts.ts';
import type { Job, JobResult } from '../loop.ts';
import type { DaemonSettings } from '../settings.ts';
import type { ImageService } from './cri.ts';
import type { VersionsFact } from './fact.ts';
import type { PrePull } from './pre-pull.ts';
import { availability, versionAvailability, wantedVersions } from './wanted.ts';

export interface VersionsJobOptions {
  settings: () => Pick<DaemonSettings, 'versionMaps'>;
  /** Connects to the container runtime; closed after each run. */
  connect: () => ImageService;
  map: Pick<FactMap, 'write'>;
  facts: Pick<HostFacts, 'publish'>;
  prePull: Pick<PrePull, 'want'>;
}

/** Questions to the runtime under way at the same time. */
const AT_ONCE = 4;

/** Tells which versions this host can run at once, since all their images are here. */
export class VersionsJob implements Job {
  readonly name = 'versions';
  readonly #options: VersionsJobOptions;

  constructor(options: VersionsJobOptions) {
    this.#options = options;
  }

  /** @throws Error when the runtime does not say: what was published before stays */
  async run(signal: AbortSignal): Promise<JobResult> {
    const { settings, map, facts, prePull } = this.#options;
    const versions = wantedVersions(settings().versionMaps);
    // Without version maps nobody is asked, and that no version can run here is told all the same: it may have been others.
    const fact = availability(
      versions,
      await this.#present(
        versions.flatMap(({ images }) => images),
        signal,
      ),
    );
    facts.publish('versions', fact);
    await map.write(versionAvailability(fact), signal);
    prePull.want([...new Set(Object.values(fact.missing).flat())]);
    return { message: versions.length === 0 ? 'the site has no version map' : messageOf(fact) };
  }

  async #present(images: readonly string[], signal: AbortSignal): Promise<Set<string>> {
    const present = new Set<string>();
    if (images.length === 0) return present;
    const waiting = [...new Set(images)];
    const service = this.#options.connect();
    const ask = async (): Promise<void> => {
      for (let image = waiting.pop(); image !== undefined; image = waiting.pop()) {
        if (await service.find(image, signal)) present.add(image);
      }
    };
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, ask));
      return present;
    } finally {
      service.close();
    }
  }
}

function messageOf({ existing, missing }: VersionsFact): string {
  const lacking = Object.entries(missing).map(([name, images]) => `${name} lacks ${images.join(', ')}`);
  return [`${existing.length} versions can run here`, ...lacking].join('; ');
}
