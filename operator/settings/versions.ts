import { UserError } from '../model/errors.ts';
import type { EngineName } from '../model/roles.ts';
import type { EngineVersion, SettingsMap, SettingsProblem, SiteSettings } from './types.ts';
import { BadValue, MapReader, parseCount, parseText } from './values.ts';

export const VERSION_CONFIG_TYPE = 'minor_version_info';
const NAME = /-minor-version-info-rwo-(.+)$/;
const ROOT = 'root';
const OWN_KEYS = new Set(['name', 'engine', 'pgEngineImage', 'runAsUser', 'runAsGroup']);
const ENGINES: readonly EngineName[] = ['polardb', 'postgresql'];

type Versions = Pick<SiteSettings, 'versions' | 'defaultVersions'>;

/** Reads the minor version maps. A version with a bad value stays what it was; one that never was good is left out. */
export function readVersions(
  maps: readonly SettingsMap[],
  problems: SettingsProblem[],
  last: Versions = { versions: new Map(), defaultVersions: {} },
): Versions {
  const versions = new Map<string, EngineVersion>();
  let defaultVersions: Versions['defaultVersions'] = {};
  for (const map of maps.filter(isVersionMap)) {
    const suffix = suffixOf(map);
    const reader = new MapReader(map, '', problems);
    if (suffix === ROOT) {
      defaultVersions = readDefaults(reader, last.defaultVersions);
      continue;
    }
    const data = map.data ?? {};
    const name = versionName(map);
    const version = readVersion(reader, data, name) ?? last.versions.get(name);
    if (version) versions.set(name, version);
  }
  return { versions, defaultVersions };
}

const suffixOf = (map: SettingsMap): string => NAME.exec(map.metadata?.name ?? '')?.[1] ?? '';
/** The map's own name writes `-` for `.` and `_`, so the real name stands in the data. */
export const versionName = (map: SettingsMap): string => map.data?.name ?? suffixOf(map);
const isVersionMap = (map: SettingsMap): boolean =>
  map.metadata?.labels?.configtype === VERSION_CONFIG_TYPE && suffixOf(map) !== '';

/** `latestVersion` is the original's and means polardb; `latestVersion.postgresql` is its like. */
function readDefaults(reader: MapReader, last: Versions['defaultVersions']): Versions['defaultVersions'] {
  const read = (key: string, engine: EngineName) =>
    reader.read<string | undefined>(key, parseText, { absent: undefined, last: last[engine] });
  return {
    polardb: read('latestVersion', 'polardb'),
    postgresql: read('latestVersion.postgresql', 'postgresql'),
  };
}

function readVersion(
  reader: MapReader,
  data: Readonly<Record<string, string>>,
  name: string,
): EngineVersion | undefined {
  const bad = { absent: undefined, last: undefined };
  const engine = reader.read<EngineName | undefined>('engine', parseEngine, { absent: 'polardb', last: undefined });
  const engineImage = reader.read<string | undefined>('pgEngineImage', parseImage, bad);
  if (!reader.has('pgEngineImage')) {
    reader.problem('pgEngineImage', 'is missing', 'write the image of the engine');
  }
  const runAs = reader.attempt('runAsUser', () => parseRunAs(data.runAsUser, data.runAsGroup));
  if (!engine || !engineImage || !runAs) return undefined;
  return {
    name,
    engine,
    engineImage,
    runAs: runAs.user === 0 ? undefined : runAs,
    otherImages: Object.fromEntries(Object.entries(data).filter(([key]) => !OWN_KEYS.has(key))),
  };
}

function parseEngine(text: string): EngineName {
  const engine = ENGINES.find(name => name === text.trim());
  if (!engine) throw new BadValue(`"${text}" is no engine`, `write ${ENGINES.join(' or ')}`);
  return engine;
}

/** An image reference: no spaces, no scheme. */
export function parseImage(text: string): string {
  const image = text.trim();
  if (!/^[a-z0-9][\w./:@-]{0,254}$/i.test(image) || image.includes('://')) {
    throw new BadValue(`"${text}" is no image`, 'write registry/name:tag');
  }
  return image;
}

/** Both or none; root is refused, since engines do not start as root. User 0 in the result: none given. */
function parseRunAs(user: string | undefined, group: string | undefined): { user: number; group: number } {
  if (user === undefined && group === undefined) return { user: 0, group: 0 };
  const uid = parseCount(user ?? '0');
  const gid = parseCount(group ?? user ?? '0');
  if (uid === 0 || gid === 0) throw new BadValue('engines do not run as root', 'write a user and a group above 0');
  return { user: uid, group: gid };
}

/**
 * The version that a cluster asks for by name, or the default of its engine.
 * @throws UserError naming `field` when there is none, or it is of another engine
 */
export function findVersion(
  { versions, defaultVersions }: Versions,
  engine: EngineName,
  name: string | undefined,
  field = 'spec.versionCfg.versionName',
): EngineVersion {
  const wanted = name === undefined || name === '' ? defaultVersions[engine] : name;
  const known = [...versions.values()]
    .filter(version => version.engine === engine)
    .map(version => version.name)
    .sort();
  const list = known.join(', ') || 'none';
  if (!wanted) throw new UserError(field, `must be given, since this site has no default; known: ${list}`);
  const found = versions.get(wanted);
  if (!found) throw new UserError(field, `no version "${wanted}" of ${engine}; known: ${list}`);
  if (found.engine !== engine) {
    throw new UserError(field, `version "${wanted}" is ${found.engine}, spec.dbType is ${engine}; known: ${list}`);
  }
  return found;
}
