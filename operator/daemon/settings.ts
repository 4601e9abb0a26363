import { parsePortRange, type PortRange } from '../model/ports.ts';
import { CONTROLLER_MAP, PORTS_MAP, readController, readNetwork } from '../settings/network.ts';
import type { ControllerSettings, NetworkSettings, SettingsMap, SettingsProblem } from '../settings/types.ts';
import { BadValue, MapReader, parseBool } from '../settings/values.ts';

/** What the site says about hosts, as one immutable value. Jobs get a function that returns the present one. */
export interface DaemonSettings {
  /** Network card that clients reach this host by (`NET_CARD_NAME`). */
  card: string;
  /** Account for host commands. */
  sshUser: string;
  /** May host commands be run (`enableSsh`)? */
  isSshOn: boolean;
  /** Are used ports to be published (`enablePrintPort`)? */
  isPortPrintingOn: boolean;
  /** Is the management controller's address to be published (`isCheckOObIP`)? */
  isOobOn: boolean;
  /** Port ranges to watch, in rising order, none touching another. Undefined: not known, the map is not there. */
  portRanges: readonly PortRange[] | undefined;
  /** The version maps of the site as they are, in order of their names. */
  versionMaps: readonly SettingsMap[];
  /** Values that cannot be used; the last good ones are in force. */
  problems: readonly SettingsProblem[];
  /** What later readings fall back on. */
  kept: {
    network: NetworkSettings;
    controller: ControllerSettings;
    switches: Switches;
    ranges: Readonly<Record<string, readonly PortRange[]>> | undefined;
  };
}

/** Names of the maps that settings are read from. */
export interface DaemonMaps {
  network: SettingsMap | undefined;
  controller: SettingsMap | undefined;
  ports: SettingsMap | undefined;
  versions: readonly SettingsMap[];
}

type Switches = Readonly<Record<keyof typeof SWITCH_DEFAULTS, boolean>>;

/** As in the original, but for the management controller: hosts without one would look for it for ever. */
const SWITCH_DEFAULTS = { enableSsh: true, enablePrintPort: true, isCheckOObIP: false };

/** The keys that mean something to a host; what else is wrong in the maps, the operator tells. */
const OUR_KEYS = ['NET_CARD_NAME', 'sshUser'];

/**
 * The settings that these maps make. A value that cannot be used keeps what `last` had, else the default, and is told in
 * `problems`. Pure.
 */
export function readDaemonSettings(maps: DaemonMaps, last?: DaemonSettings): DaemonSettings {
  const shared: SettingsProblem[] = [];
  const network = readNetwork(maps.network, shared, last?.kept.network);
  const controller = readController(maps.controller, shared, last?.kept.controller);
  const problems = shared.filter(({ key }) => OUR_KEYS.includes(key));
  const switches = readSwitches(maps.controller, problems, last?.kept.switches);
  const ranges = readRanges(maps.ports, problems, last?.kept.ranges);
  return {
    card: network.clientCard,
    sshUser: controller.sshUser,
    isSshOn: switches.enableSsh,
    isPortPrintingOn: switches.enablePrintPort,
    isOobOn: switches.isCheckOObIP,
    portRanges: ranges && joined(Object.values(ranges).flat()),
    versionMaps: maps.versions.toSorted((a, b) => ((a.metadata?.name ?? '') < (b.metadata?.name ?? '') ? -1 : 1)),
    problems,
    kept: { network, controller, switches, ranges },
  };
}

function readSwitches(
  map: SettingsMap | undefined,
  problems: SettingsProblem[],
  last: Switches = SWITCH_DEFAULTS,
): Switches {
  const reader = new MapReader(map, CONTROLLER_MAP, problems);
  const switches = { ...SWITCH_DEFAULTS };
  for (const key of Object.keys(SWITCH_DEFAULTS) as (keyof Switches)[]) {
    switches[key] = reader.read(key, parseBool, { absent: SWITCH_DEFAULTS[key], last: last[key] });
  }
  return switches;
}

/**
 * Each annotation of the map is a range in the original, whatever its key. Here one is wrong only when its key says that
 * it is a range: other tools annotate too. A map that is gone changes nothing: without ranges all ports would look free.
 */
function readRanges(
  map: SettingsMap | undefined,
  problems: SettingsProblem[],
  last: Readonly<Record<string, readonly PortRange[]>> | undefined,
): Readonly<Record<string, readonly PortRange[]>> | undefined {
  if (!map) return last;
  const texts = map.metadata?.annotations ?? {};
  const reader = new MapReader({ metadata: map.metadata, data: texts }, PORTS_MAP, problems);
  const read = (key: string): readonly PortRange[] => {
    if (key.includes('port.range')) return reader.read(key, parseRanges, { absent: [], last: last?.[key] ?? [] });
    return new MapReader({ data: texts }, PORTS_MAP, []).read(key, parseRanges, { absent: [], last: [] });
  };
  return Object.fromEntries(Object.keys(texts).map(key => [key, read(key)]));
}

function parseRanges(text: string): PortRange[] {
  try {
    return text.split(',').flatMap(part => parsePortRange(part) ?? []);
  } catch (error) {
    throw new BadValue((error as Error).message, 'write a-b, a+n, one port, or nothing');
  }
}

/** Overlapping and adjoining ranges as one. */
function joined(ranges: readonly PortRange[]): PortRange[] {
  const result: PortRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.first - b.first)) {
    const before = result.at(-1);
    if (before && range.first <= before.last + 1) before.last = Math.max(before.last, range.last);
    else result.push({ ...range });
  }
  return result;
}
