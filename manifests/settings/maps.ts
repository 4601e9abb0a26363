import { stringify } from 'yaml';
import type { Site, SiteClass, SiteVersion } from '../schema.ts';
import { templateYaml } from './parameters/template.ts';

/** A ConfigMap of the settings namespace, with the original's name, labels and keys. */
export interface SettingsMapSpec {
  name: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  /** Absent: the map carries annotations only. */
  data?: Record<string, string>;
}

/** Labels that the original's operator selects its tables by. */
const KIND = { dbType: 'PostgreSQL', dbVersion: '1.0', dbClusterMode: 'WriteReadMore' };

/** All settings of a site, in the order in which they are written. */
export function settingsMaps(site: Site): SettingsMapSpec[] {
  return [
    networkMap(site),
    controllerMap(site),
    portsMap(site),
    systemResourcesMap(site),
    ...Object.entries(site.classes).flatMap(([name, one]) => [
      classResourceMap(name, one, site.hugePages),
      classParameterMap(name, one),
    ]),
    ...Object.entries(site.versions).map(([name, version]) => versionMap(name, version)),
    defaultVersionMap(site),
    templateMap('postgresql-1-0-mycnf-template-rwo', 'polardb', site),
    templateMap('postgresql-15-mycnf-template-rwo', 'postgresql', site),
  ];
}

const networkMap = ({ network }: Site): SettingsMapSpec => ({
  name: 'ccm-config',
  data: { NET_CARD_NAME: network.clientCard, INTERNAL_NETWORK_CARD_NAME: network.internalCard },
});

const controllerMap = ({ controller }: Site): SettingsMapSpec => ({
  name: 'controller-config',
  data: textValues(controller),
});

/** No data: in the original they are counters, and an apply must not reset them. */
const portsMap = ({ ports }: Site): SettingsMapSpec => ({
  name: 'polardb4mpd-controller',
  annotations: {
    'polarbox.novip.engine.port.range': ports.engine,
    'polarbox.mpd.external.port.range': ports.external,
    'polarbox.mpd.reserved.port.ranges': ports.reserved,
  },
});

function systemResourcesMap({ systemResources: { share, shared, normal } }: Site): SettingsMapSpec {
  const half = (containers: typeof shared) =>
    // Anchors would be an own dialect to whoever greps these maps.
    stringify({ single: containers, readWriteMany: containers }, { aliasDuplicateObjects: false });
  return {
    name: 'instance-system-resources',
    data: { enableResourceShare: String(share), shared: half(shared), normal: half(normal) },
  };
}

const dashed = (name: string): string => name.replaceAll(/[._]/g, '-');

function classLabels(name: string, level: 'resource' | 'config'): Record<string, string> {
  return { configtype: 'instance_level', leveltype: `instance_level_${level}`, classKey: name, ...KIND };
}

function classResourceMap(name: string, one: SiteClass, hugePages: boolean): SettingsMapSpec {
  return {
    name: `postgresql-1-0-level-${dashed(name)}-resource-rwo`,
    labels: classLabels(name, 'resource'),
    annotations: { 'polarbox.class.name': one.displayName },
    data: textValues({
      cpu_cores: one.cpu.limit,
      cpu_cores_request: one.cpu.request,
      mem: one.totalMemory,
      mem_limit: one.memory.limit,
      mem_request: one.memory.request,
      hugepage_limit: one.bufferMemory,
      hugepages: one.bufferMemory === undefined ? undefined : (one.hugePages ?? hugePages),
      iops: one.iops,
      max_conn: one.maxConnections,
      storage: one.storage?.min,
      max_storage: one.storage?.max,
      class_specified: one.containers && JSON.stringify(specified(one.containers)),
    }),
  };
}

const specified = (containers: NonNullable<SiteClass['containers']>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(containers).map(([name, { cpu, memory, config = '' }]) => [
      name,
      { cpu_cores: cpu, limit_memory: memory, config },
    ]),
  );

const classParameterMap = (name: string, { parameters }: SiteClass): SettingsMapSpec => ({
  name: `postgresql-1-0-level-${dashed(name)}-config-rwo`,
  labels: classLabels(name, 'config'),
  data: parameters,
});

const VERSION_LABELS = { configtype: 'minor_version_info', ...KIND };

const versionMap = (name: string, { engine, engineImage, runAs, otherImages }: SiteVersion): SettingsMapSpec => ({
  name: `postgresql-1-0-minor-version-info-rwo-${dashed(name)}`,
  labels: VERSION_LABELS,
  data: textValues({
    name,
    engine,
    pgEngineImage: engineImage,
    runAsUser: runAs?.user,
    runAsGroup: runAs?.group,
    ...otherImages,
  }),
});

const defaultVersionMap = ({ defaultVersions }: Site): SettingsMapSpec => ({
  name: 'postgresql-1-0-minor-version-info-rwo-root',
  labels: VERSION_LABELS,
  data: textValues({
    latestVersion: defaultVersions.polardb,
    'latestVersion.postgresql': defaultVersions.postgresql,
  }),
});

const templateMap = (name: string, engine: SiteVersion['engine'], { timeZone }: Site): SettingsMapSpec => ({
  name,
  labels: { configtype: 'mycnf_template', ...KIND },
  data: { engine, mycnf_template: templateYaml(engine, timeZone) },
});

/** Values as ConfigMaps hold them; keys without a value are left out. */
function textValues(values: Readonly<Record<string, string | number | boolean | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]])),
  );
}
