import type { PortRange } from '../model/ports.ts';
import { CONTROLLER_MAP, readController, readNetwork } from '../settings/network.ts';
import type { ControllerSettings, NetworkSettings, SettingsMap, SettingsProblem } from '../settings/types.ts';
import { BadValue, MapReader, parseBool, parseCount, parseMebibytes } from '../settings/values.ts';
import { DEFAULT_LOG_LIMITS, type LogLimits } from './logs/policy.ts';
import type { LogMode } from './logs/report.ts';
import { readSshdPlace, type SshdPlace } from './sshd-place.ts';
import type { PrePullSettings } from './versions/pre-pull.ts';
import { joined, readRanges, type RangesByKey } from './watched-ranges.ts';

/** What the site says about hosts, as one immutable value. Jobs get a function that returns the present one. */
export interface DaemonSettings {
  /** Network card that clients reach this host by (`NET_CARD_NAME`). */
  card: string;
  /** Account for host commands. */
  sshUser: string;
  /** May host commands be run (`enableSsh`)? */
  isSshOn: boolean;
  /** Where the host's sshd listens (`sshAddress`, `sshPort`). */
  sshd: SshdPlace;
  /** Are used ports to be published (`enablePrintPort`)? */
  isPortPrintingOn: boolean;
  /** Is the management controller's address to be published (`isCheckOObIP`)? */
  isOobOn: boolean;
  /** Images that are missing are pulled before a cluster needs them (`prePull...`). */
  prePull: PrePullSettings;
  /** `plan`: the clean-up of logs only tells what it would do (`logCleanUp`). */
  logMode: LogMode;
  /** How much space logs may take (`logSize`, `logDiskPercent`). */
  logLimits: LogLimits;
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
    sshd: SshdPlace;
    prePull: PrePullSettings;
    logMode: LogMode;
    logLimits: LogLimits;
    ranges: RangesByKey | undefined;
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

const PRE_PULL_DEFAULTS: PrePullSettings = { isOn: false, hosts: 2, mibPerSecond: 50 };

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
  const sshd = readSshdPlace(maps.controller, problems, last?.kept.sshd);
  const prePull = readPrePull(maps.controller, problems, last?.kept.prePull);
  const logMode = readLogMode(maps.controller, problems, last?.kept.logMode);
  const logLimits = readLogLimits(maps.controller, problems, last?.kept.logLimits);
  const ranges = readRanges(maps.ports, problems, last?.kept.ranges);
  return {
    card: network.clientCard,
    sshUser: controller.sshUser,
    isSshOn: switches.enableSsh,
    sshd,
    isPortPrintingOn: switches.enablePrintPort,
    isOobOn: switches.isCheckOObIP,
    prePull,
    logMode,
    logLimits,
    portRanges: ranges && joined(Object.values(ranges).flat()),
    versionMaps: maps.versions.toSorted((a, b) => ((a.metadata?.name ?? '') < (b.metadata?.name ?? '') ? -1 : 1)),
    problems,
    kept: { network, controller, switches, sshd, prePull, logMode, logLimits, ranges },
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

function readPrePull(
  map: SettingsMap | undefined,
  problems: SettingsProblem[],
  last: PrePullSettings = PRE_PULL_DEFAULTS,
): PrePullSettings {
  const reader = new MapReader(map, CONTROLLER_MAP, problems);
  const absent = PRE_PULL_DEFAULTS;
  return {
    isOn: reader.read('prePullImages', parseBool, { absent: absent.isOn, last: last.isOn }),
    hosts: reader.read('prePullHosts', parsePositive, { absent: absent.hosts, last: last.hosts }),
    mibPerSecond: reader.read('prePullMiBPerSecond', parseCount, {
      absent: absent.mibPerSecond,
      last: last.mibPerSecond,
    }),
  };
}

function parsePositive(text: string): number {
  const count = parseCount(text);
  if (count === 0) throw new BadValue('0 is too few', 'write 1 or more');
  return count;
}

function readLogMode(map: SettingsMap | undefined, problems: SettingsProblem[], last: LogMode = 'apply'): LogMode {
  const reader = new MapReader(map, CONTROLLER_MAP, problems);
  return reader.read('logCleanUp', parseLogMode, { absent: 'apply', last });
}

function parseLogMode(text: string): LogMode {
  const word = text.trim();
  if (word === 'plan' || word === 'apply') return word;
  throw new BadValue(`"${text}" is neither plan nor apply`, 'write plan to be told only, or apply');
}

function readLogLimits(
  map: SettingsMap | undefined,
  problems: SettingsProblem[],
  last: LogLimits = DEFAULT_LOG_LIMITS,
): LogLimits {
  const reader = new MapReader(map, CONTROLLER_MAP, problems);
  const absent = DEFAULT_LOG_LIMITS;
  return {
    maxInstanceLogBytes: reader.read('logSize', text => parseMebibytes(text) * 2 ** 20, {
      absent: absent.maxInstanceLogBytes,
      last: last.maxInstanceLogBytes,
    }),
    diskHighPercent: reader.read('logDiskPercent', parsePercent, {
      absent: absent.diskHighPercent,
      last: last.diskHighPercent,
    }),
  };
}

function parsePercent(text: string): number {
  const percent = parseCount(text);
  if (percent < 1 || percent > 100) throw new BadValue(`${percent} is no share`, 'write 1 to 100');
  return percent;
}
