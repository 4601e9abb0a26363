import { isDeepStrictEqual } from 'node:util';
import { CLASS_CONFIG_TYPE, readClasses } from './classes.ts';
import { CONTROLLER_MAP, NETWORK_MAP, PORTS_MAP, readController, readNetwork, readPorts } from './network.ts';
import { readSystemResources, SYSTEM_RESOURCES_MAP } from './resources.ts';
import { readTemplates, TEMPLATE_CONFIG_TYPE, WHITE_LIST_MAP } from './templates.ts';
import type { SettingsMap, SettingsProblem, SiteSettings } from './types.ts';
import { readVersions, VERSION_CONFIG_TYPE } from './versions.ts';

/** Which ConfigMaps of the settings namespace to watch: some by name, the tables by one selector. */
export const SETTINGS_WATCHES = {
  names: [NETWORK_MAP, CONTROLLER_MAP, PORTS_MAP, SYSTEM_RESOURCES_MAP, WHITE_LIST_MAP],
  selector: `configtype in (${CLASS_CONFIG_TYPE}, ${VERSION_CONFIG_TYPE}, ${TEMPLATE_CONFIG_TYPE})`,
} as const;

/**
 * Do both say the same? The original's counter of ids lies in the map of the ports and says nothing: read as a change,
 * each new instance would have all settings read again, and every cluster looked at.
 */
export function isSameSettings(one: SettingsMap | undefined, other: SettingsMap | undefined): boolean {
  return isDeepStrictEqual(said(one), said(other));
}

function said(map: SettingsMap | undefined): unknown {
  const { name, labels, annotations } = map?.metadata ?? {};
  return name === PORTS_MAP ? [name, annotations] : [name, labels, map?.data];
}

/**
 * All settings from the maps that exist now. A value that cannot be used keeps what `last` had (else the default) and is
 * told in `problems`; a map or key that is gone means the default. Pure: the same maps give the same settings.
 */
export function readSiteSettings(maps: readonly SettingsMap[], last?: SiteSettings): SiteSettings {
  const problems: SettingsProblem[] = [];
  const inOrder = maps.toSorted((a, b) => ((a.metadata?.name ?? '') < (b.metadata?.name ?? '') ? -1 : 1));
  const named = (name: string) => inOrder.find(map => map.metadata?.name === name);
  return {
    network: readNetwork(named(NETWORK_MAP), problems, last?.network),
    controller: readController(named(CONTROLLER_MAP), problems, last?.controller),
    ports: readPorts(named(PORTS_MAP), problems, last?.ports),
    systemResources: readSystemResources(named(SYSTEM_RESOURCES_MAP), problems, last?.systemResources),
    classes: readClasses(inOrder, problems, last?.classes),
    ...readVersions(inOrder, problems, last && { versions: last.versions, defaultVersions: last.defaultVersions }),
    templates: readTemplates(inOrder, problems, last?.templates),
    problems,
  };
}
