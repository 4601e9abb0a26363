import type { ControllerSettings, NetworkSettings, PortSettings, SettingsMap, SettingsProblem } from './types.ts';
import { BadValue, MapReader, parseBool, parseText } from './values.ts';
import type { PortRange } from '../model/ports.ts';
import { parsePortRange } from '../model/ports.ts';

export const NETWORK_MAP = 'ccm-config';
export const CONTROLLER_MAP = 'controller-config';
export const PORTS_MAP = 'polardb4mpd-controller';

const DEFAULT_CARD = 'bond1';
/** Instead of a name: the card of the host's default route. */
export const AUTO_CARD = 'auto';

/** Reads `ccm-config`; a card that is not named is the original's `bond1`. */
export function readNetwork(
  map: SettingsMap | undefined,
  problems: SettingsProblem[],
  last: NetworkSettings | undefined,
): NetworkSettings {
  const reader = new MapReader(map, NETWORK_MAP, problems);
  const card = (key: string, kept: string | undefined) =>
    reader.read(key, parseCard, { absent: DEFAULT_CARD, last: kept ?? DEFAULT_CARD });
  return {
    clientCard: card('NET_CARD_NAME', last?.clientCard),
    internalCard: card('INTERNAL_NETWORK_CARD_NAME', last?.internalCard),
  };
}

/** The kernel's rule for interface names: up to 15 bytes, no slash, no space. */
function parseCard(text: string): string {
  const name = text.trim();
  if (!/^[A-Za-z0-9][\w.@:-]{0,14}$/.test(name)) {
    throw new BadValue(`"${text}" is not the name of a network card`, 'write a name as "ip link" shows it');
  }
  return name;
}

const CONTROLLER_DEFAULTS: ControllerSettings = {
  hybridDeployment: true,
  cmHybridDeployment: false,
  canUpdateNotChangeableParams: false,
  enableOnlinePromote: false,
  enableRedline: true,
  sshUser: 'root',
  controllerNodeLabel: 'node-role.kubernetes.io/control-plane',
};

const BOOL_KEYS = [
  'hybridDeployment',
  'cmHybridDeployment',
  'canUpdateNotChangeableParams',
  'enableOnlinePromote',
  'enableRedline',
] as const;
const TEXT_KEYS = ['sshUser', 'controllerNodeLabel'] as const;

/** Reads `controller-config`. No key must be there; keys without a meaning here are left alone. */
export function readController(
  map: SettingsMap | undefined,
  problems: SettingsProblem[],
  last: ControllerSettings = CONTROLLER_DEFAULTS,
): ControllerSettings {
  const reader = new MapReader(map, CONTROLLER_MAP, problems);
  const settings = { ...CONTROLLER_DEFAULTS };
  for (const key of BOOL_KEYS) {
    settings[key] = reader.read(key, parseBool, { absent: CONTROLLER_DEFAULTS[key], last: last[key] });
  }
  for (const key of TEXT_KEYS) {
    settings[key] = reader.read(key, parseText, { absent: CONTROLLER_DEFAULTS[key], last: last[key] });
  }
  if (map?.data?.sshPassword) {
    reader.problem('sshPassword', 'a password in a ConfigMap is not used', 'remove it; host commands use a key');
  }
  return settings;
}

const ENGINE_RANGE = 'polarbox.novip.engine.port.range';
const EXTERNAL_RANGE = 'polarbox.mpd.external.port.range';
const RESERVED_RANGES = 'polarbox.mpd.reserved.port.ranges';

/** Reads the annotations of `polardb4mpd-controller`. Its data are the original's counters and not used. */
export function readPorts(
  map: SettingsMap | undefined,
  problems: SettingsProblem[],
  last: PortSettings = { reserved: [] },
): PortSettings {
  const annotations: SettingsMap = { metadata: map?.metadata, data: map?.metadata?.annotations };
  const reader = new MapReader(annotations, PORTS_MAP, problems);
  return {
    engine: reader.read(ENGINE_RANGE, parseRange, { absent: undefined, last: last.engine }),
    external: reader.read(EXTERNAL_RANGE, parseRange, { absent: undefined, last: last.external }),
    reserved: reader.read(RESERVED_RANGES, parseRanges, { absent: [], last: last.reserved }),
  };
}

function parseRange(text: string): PortRange | undefined {
  try {
    return parsePortRange(text);
  } catch (error) {
    throw new BadValue((error as Error).message, 'write a-b, a+n, one port, or nothing');
  }
}

/** Ranges and single ports, separated by commas. @throws BadValue */
export const parseRanges = (text: string): PortRange[] =>
  text
    .split(',')
    .map(parseRange)
    .filter(range => range !== undefined);
