import { isDeepStrictEqual } from 'node:util';
import type { Cache } from '../kube/informer.ts';
import type { WatchRequest } from '../kube/informers.ts';
import { RESOURCES, type ConfigMap, type ResourceType } from '../kube/resources.ts';
import { CONTROLLER_MAP, NETWORK_MAP } from '../settings/network.ts';
import type { SettingsMap } from '../settings/types.ts';
import type { JobName } from './loop.ts';
import { readDaemonSettings, type DaemonSettings } from './settings.ts';

export interface SettingsSource {
  watch: (type: ResourceType<ConfigMap>, request: WatchRequest<ConfigMap>) => Cache<ConfigMap>;
  namespace: string;
  /** Name of the map with the port ranges. */
  portsMap: string;
  /** Which maps are version maps. */
  versionLabels: string;
}

/** Which loops run at once when a setting changes; those not named look at their settings when their time has come. */
const CONCERNED: { readonly [K in keyof DaemonSettings]?: readonly JobName[] } = {
  card: ['network'],
  isOobOn: ['network'],
  sshUser: ['network', 'volumes'],
  isSshOn: ['network', 'volumes'],
  sshd: ['network', 'volumes'],
  isPortPrintingOn: ['ports'],
  portRanges: ['ports'],
  versionMaps: ['versions'],
  prePull: ['versions'],
};

/** The site's settings as they are now, read anew with each change of their maps. */
export class SettingsWatch {
  #settings = readDaemonSettings({ network: undefined, controller: undefined, ports: undefined, versions: [] });
  readonly #network: Cache<ConfigMap>;
  readonly #controller: Cache<ConfigMap>;
  readonly #ports: Cache<ConfigMap>;
  readonly #versions: Cache<ConfigMap>;
  readonly #onChange: (concerned: JobName[]) => void;

  /** @param onChange called with the loops that a change concerns, once something has changed */
  constructor({ watch, namespace, portsMap, versionLabels }: SettingsSource, onChange: (concerned: JobName[]) => void) {
    this.#onChange = onChange;
    const named = (name: string): Cache<ConfigMap> =>
      watch(RESOURCES.configMaps, { namespaces: [namespace], fieldSelector: `metadata.name=${name}` });
    this.#network = named(NETWORK_MAP);
    this.#controller = named(CONTROLLER_MAP);
    this.#ports = named(portsMap);
    this.#versions = watch(RESOURCES.configMaps, { namespaces: [namespace], labelSelector: versionLabels });
    for (const cache of this.#caches) cache.onChange(() => this.read());
  }

  get current(): DaemonSettings {
    return this.#settings;
  }

  get #caches(): Cache<ConfigMap>[] {
    return [this.#network, this.#controller, this.#ports, this.#versions];
  }

  /** Reads the maps as they are; also called when the first lists are in, since empty ones change nothing. */
  read(): void {
    // What has not been listed yet is not absent.
    if (!this.#caches.every(cache => cache.isSynced)) return;
    const before = this.#settings;
    const [network, controller, ports] = [this.#network, this.#controller, this.#ports].map(cache => cache.list()[0]);
    this.#settings = readDaemonSettings(
      { network, controller, ports, versions: this.#versions.list().map(saidBy) },
      before,
    );
    if (!isDeepStrictEqual(before, this.#settings)) this.#onChange(concernedBy(before, this.#settings));
  }
}

function concernedBy(before: DaemonSettings, after: DaemonSettings): JobName[] {
  const changed = Object.entries(CONCERNED).filter(
    ([key]) => !isDeepStrictEqual(before[key as keyof DaemonSettings], after[key as keyof DaemonSettings]),
  );
  return [...new Set(changed.flatMap(([, names]) => names))];
}

/** Of a map only what says something: its version changes with each write. */
function saidBy({ metadata: { name, labels, annotations }, data }: ConfigMap): SettingsMap {
  return { metadata: { name, labels, annotations }, data };
}
