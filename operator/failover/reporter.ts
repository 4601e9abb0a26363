import type { KubeClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import { isNamespaceEnding, isReason } from '../kube/errors.ts';
import { RESOURCES, type ConfigMap } from '../kube/resources.ts';
import { patchStatusIfChanged } from '../kube/status.ts';
import type { Group, Look } from './group.ts';
import { buildSwitchLog, readSwitches, type SwitchEntry } from './history.ts';
import { MPD_CLUSTERS, type RawCluster } from '../kinds/mpd.ts';
import { Newest } from './newest.ts';
import { statusOf } from './status.ts';

type Client = Pick<KubeClient, 'patchStatus' | 'apply'>;

/** Tells of one group in status, history and labels. It runs beside the decisions and never holds them up. */
export class Reporter {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #clusters = new Newest<RawCluster>();
  readonly #logs = new Newest<ConfigMap>();
  /** Switches that are over and not written yet, oldest first. */
  readonly #entries: SwitchEntry[] = [];

  constructor(client: Client, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  ended(entry: SwitchEntry): void {
    this.#entries.push(entry);
  }

  /** Makes no call when all is told already. @throws KubeError `Conflict` when status has changed: look again */
  async report(group: Group): Promise<void> {
    const { look } = group;
    if (!look) return;
    try {
      await this.#status(group, look);
      await group.label();
      await this.#history(group, look);
    } catch (error) {
      // The cluster is gone: the watch is about to say so, and nobody is left to tell.
      if (!isReason(error, 'NotFound') && !isNamespaceEnding(error)) throw error;
    }
  }

  async #status(group: Group, { target, view, decision }: Look): Promise<void> {
    const { object: seen, pods } = group.parts;
    const object = this.#clusters.of(seen);
    if (!object || object.metadata.uid !== target.uid) return;
    const cluster = { ...target.cluster, status: object.status ?? {} };
    const troubles = group.commander.troubles(view.recorded?.record.epoch ?? 0);
    const parts = { target: { ...target, cluster }, view, decision, pods, troubles, date: this.#clock.date() };
    this.#clusters.wrote(await patchStatusIfChanged(this.#client, MPD_CLUSTERS, object, statusOf(parts)));
  }

  async #history(group: Group, { target }: Look): Promise<void> {
    for (let entry = this.#entries[0]; entry; entry = this.#entries[0]) {
      const before = readSwitches(this.#logs.of(group.parts.switchLog));
      this.#logs.wrote(await this.#client.apply(RESOURCES.configMaps, buildSwitchLog(target, before, entry)));
      this.#entries.shift();
    }
  }
}
