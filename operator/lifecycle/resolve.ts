import { engineOf, targetClass, targetVersion, type MPDCluster, type VersionCfg } from '../../crds/mpdcluster.ts';
import { quantityValue } from '../../crds/quantity.ts';
import { UserError } from '../model/errors.ts';
import { portInRange } from '../model/ports.ts';
import { classResources, findClass } from '../settings/classes.ts';
import { effectiveParameters } from '../settings/parameters.ts';
import type { EngineVersion, InstanceClass, SiteSettings } from '../settings/types.ts';
import { findVersion } from '../settings/versions.ts';
import type { ClusterPlan, PlanResources, PlanVolume } from './plan.ts';
import { instancesOf } from '../kinds/instances.ts';

export interface ResolveRequest {
  cluster: MPDCluster;
  site: SiteSettings;
  /** Image of this system for the engine pods. */
  stackImage: string;
  pullPolicy: ClusterPlan['images']['pullPolicy'];
  /** Parameters in effect (`<cluster>-running-params`); absent for a cluster that has none yet. */
  running?: Readonly<Record<string, string>>;
  /** Volume mode of the shared claim; absent when there is no such claim. */
  sharedClaim?: { volumeMode?: string };
}

/**
 * What the spec asks for, made exact by the site's settings. For a cluster that runs, class, version and parameters are
 * those in force (status), so that a map edited by hand changes no pod behind its user's back. When the site has lost
 * what it needs, what runs is kept all the same; only new pods wait.
 * @throws UserError naming the field and the remedy
 */
export function resolvePlan(request: ResolveRequest): ClusterPlan {
  try {
    return wholePlan(request);
  } catch (error) {
    const { cluster, running } = request;
    const isInForce = cluster.status.logicId !== undefined && running !== undefined;
    if (!isInForce || !(error instanceof UserError)) throw error;
    return { ...removalPlan(cluster), settings: running, unresolved: error.message };
  }
}

function wholePlan(request: ResolveRequest): ClusterPlan {
  const { cluster, site, stackImage, pullPolicy } = request;
  const { metadata, spec, status } = cluster;
  const engine = engineOf(spec);
  const version = resolveVersion(cluster, site);
  const instanceClass = findClass(site.classes, status.insClassInfo?.className ?? targetClass(spec));
  // What runs has passed this; a range that is edited later takes no port away.
  if (status.logicId === undefined) refuseWhatCannotRun(request, version);
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    uid: metadata.uid,
    logicId: status.logicId ?? '',
    engine,
    topology: spec.dbClusterType,
    images: { stack: stackImage, engine: version.engineImage, versionName: version.name, pullPolicy },
    ...(version.runAs && { runAs: version.runAs }),
    hostNetwork: spec.netCfg?.engineStartPort !== undefined,
    resources: resolveResources(instanceClass, spec.resources),
    settings: request.running ?? initialParameters(request, withMemory(instanceClass, spec.resources)),
    volume: resolveVolume(cluster),
    application: { database: spec.initDatabase.name, owner: spec.initDatabase.owner },
    terminationPolicy: spec.terminationPolicy,
    instances: instancesOf(cluster),
  };
}

/** Enough of a plan to keep what runs of a cluster, or to take it away, whatever has become of its class, version or claim. */
export function removalPlan(cluster: MPDCluster): ClusterPlan {
  const { metadata, spec, status } = cluster;
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    uid: metadata.uid,
    logicId: status.logicId ?? '',
    engine: engineOf(spec),
    topology: spec.dbClusterType,
    images: { stack: '', engine: '', versionName: '', pullPolicy: 'IfNotPresent' },
    hostNetwork: spec.netCfg?.engineStartPort !== undefined,
    resources: { limits: {}, requests: {} },
    settings: {},
    volume: resolveVolume(cluster),
    application: { database: spec.initDatabase.name, owner: spec.initDatabase.owner },
    terminationPolicy: spec.terminationPolicy,
    instances: instancesOf(cluster),
  };
}

function resolveVersion({ spec, status }: MPDCluster, site: SiteSettings): EngineVersion {
  const engine = engineOf(spec);
  const wanted: VersionCfg = status.versionCfg ?? targetVersion(spec);
  if (wanted.engineImage && !wanted.versionName) {
    // An image of one's own runs as this site's usual one: without a group the volume would be root's alone.
    const { runAs } = site.versions.get(site.defaultVersions[engine] ?? '') ?? {};
    return { name: '', engine, engineImage: wanted.engineImage, runAs, otherImages: {} };
  }
  const found = findVersion(site, engine, wanted.versionName);
  // What runs keeps its image although the map of its version was edited since.
  return status.versionCfg?.engineImage ? { ...found, engineImage: status.versionCfg.engineImage } : found;
}

function initialParameters({ cluster, site }: ResolveRequest, instanceClass: InstanceClass): Record<string, string> {
  const engine = engineOf(cluster.spec);
  const template = site.templates[engine];
  if (!template) throw new UserError('spec.dbType', `this site has no parameter template for ${engine}`);
  const size = cluster.spec.storage?.size;
  const storageMi = size === undefined ? undefined : Math.floor(quantityValue(size) / 2 ** 20);
  return { ...effectiveParameters({ template, class: instanceClass, storageMi }) };
}

/** Buffers are sized by the memory that the container really gets. */
function withMemory(from: InstanceClass, override: Overrides): InstanceClass {
  const mebi = (amount: string | number | undefined, otherwise: number): number =>
    amount === undefined ? otherwise : Math.floor(quantityValue(amount) / 2 ** 20);
  return {
    ...from,
    memory: { ...from.memory, limitMi: mebi(override?.limits?.memory, from.memory.limitMi) },
    hugepagesMi: mebi(hugePages(override), from.hugepagesMi),
  };
}

type Overrides = MPDCluster['spec']['resources'];
const HUGE = 'hugepages-2Mi';
const hugePages = (override: Overrides): string | number | undefined =>
  override?.limits?.[HUGE] ?? override?.requests?.[HUGE];

/**
 * The class in Kubernetes' words, single amounts overridden by `spec.resources`. Huge pages said once count for both.
 * @throws UserError for what no pod may have
 */
function resolveResources(from: InstanceClass, override: Overrides): PlanResources {
  const { limits: most, requests: least } = classResources(from);
  const huge = amounts({ [HUGE]: hugePages(override) });
  const limits: Record<string, string> = { ...most, ...huge, ...amounts(override?.limits) };
  const requests: Record<string, string> = { ...least, ...huge, ...amounts(override?.requests) };
  for (const [name, asked] of Object.entries(requests)) {
    const limit = limits[name] ?? asked;
    const isHigher = quantityValue(asked) > quantityValue(limit);
    if (!isHigher && (name !== HUGE || quantityValue(asked) === quantityValue(limit))) continue;
    const rule = name === HUGE ? 'must be equal' : 'the limit must not be lower';
    const field = `spec.resources.${isHigher ? 'limits' : 'requests'}.${name}`;
    throw new UserError(field, `requests are ${asked} and limits ${limit} with class ${from.name}: ${rule}; set both`);
  }
  return { limits, requests };
}

const amounts = (given: Record<string, string | number | undefined> | undefined): Record<string, string> =>
  Object.fromEntries(Object.entries(given ?? {}).flatMap(([k, v]) => (v === undefined ? [] : [[k, String(v)]])));

function resolveVolume({ spec }: MPDCluster): PlanVolume {
  if (spec.dbClusterType === 'share') return { kind: 'shared', claimName: spec.shareStore?.sharePvcName ?? '' };
  const { size = '', className } = spec.storage ?? {};
  return { kind: 'own', size: String(size), ...(className !== undefined && { storageClassName: className }) };
}

/** What the schema must accept, because the original did, and what cannot work here: said with the remedy. */
function refuseWhatCannotRun(request: ResolveRequest, version: EngineVersion): void {
  const { cluster, site, sharedClaim } = request;
  const { spec } = cluster;
  const port = spec.netCfg?.engineStartPort;
  if (port !== undefined && site.ports.engine && !portInRange(port, site.ports.engine)) {
    const { first, last } = site.ports.engine;
    throw new UserError('spec.netCfg.engineStartPort', `${port} is not in this site's range ${first}-${last}`);
  }
  if (/[:_-]11\./.test(version.engineImage.replace(/^.*\//, ''))) {
    throw new UserError(
      'spec.versionCfg',
      `${version.engineImage} is PolarDB 11, which cannot be had here; name a version of PolarDB 15`,
    );
  }
  if (spec.dbClusterType === 'share') refuseUnfitClaim(spec.shareStore?.sharePvcName ?? '', sharedClaim);
}

function refuseUnfitClaim(name: string, claim: { volumeMode?: string } | undefined): void {
  const field = 'spec.shareStore.sharePvcName';
  if (!claim) throw new UserError(field, `there is no claim "${name}" in the cluster's namespace; create it`);
  if (claim.volumeMode === 'Block') {
    throw new UserError(field, `claim "${name}" is a block volume, which needs PFS; use one with a file system`);
  }
}
