import type { EngineName } from '../operator/model/roles.ts';
import { UserError } from '../operator/model/errors.ts';
import { nameRules } from './mpdcluster/name.ts';
import { mpdClusterSpec, type MPDClusterSpec } from './mpdcluster/spec.ts';
import { mpdClusterStatus, type MPDClusterStatus } from './mpdcluster/status.ts';
import { parse, type ObjectMeta, type Parsed, type RawObject } from './object.ts';

export { mpdClusterSpec, mpdClusterStatus };
export type { MPDClusterSpec, MPDClusterSpecInput } from './mpdcluster/spec.ts';
export type { MPDClusterStatus };
export type ClusterStatus = NonNullable<MPDClusterStatus['clusterStatus']>;
export type InstanceStatus = NonNullable<MPDClusterStatus['dbInstanceStatus']>[string];
export type VersionCfg = NonNullable<MPDClusterSpec['versionCfg']>;

/** A cluster whose spec is right and complete: defaults are filled in. */
export interface MPDCluster {
  metadata: ObjectMeta;
  spec: MPDClusterSpec;
  status: MPDClusterStatus;
}

/** Reads an object of the API server. What the CRD refuses can still be there: stored under the CRD of the original. */
export function parseCluster(object: RawObject): Parsed<MPDCluster> {
  const spec = parse(mpdClusterSpec, object.spec ?? {}, 'spec');
  const status = parse(mpdClusterStatus, object.status ?? {}, 'status');
  if (spec.problems || status.problems) return { problems: [...(spec.problems ?? []), ...(status.problems ?? [])] };
  return { value: { metadata: object.metadata, spec: spec.value, status: status.value } };
}

/**
 * Checks what a person writes, before an API server sees it. Problems name their field; none means that it would be
 * accepted (but for what only the site or the stored object can tell).
 */
export function clusterProblems(object: { metadata: { name: string }; spec: unknown }): UserError[] {
  const names = nameRules.filter(({ holds }) => holds && !holds(object));
  return [
    ...names.map(({ message }) => new UserError('metadata.name', message)),
    ...(parse(mpdClusterSpec, object.spec, 'spec').problems ?? []),
  ];
}

/** Class to run with: `classInfoModifyTo` when it names one, else `classInfo`. */
export const targetClass = ({ classInfo, classInfoModifyTo }: MPDClusterSpec): string =>
  classInfoModifyTo?.className || classInfo.className;

/** Version to run: `versionCfgModifyTo` when it names one, else `versionCfg`; `{}` asks for the latest of the site. */
export const targetVersion = ({ versionCfg, versionCfgModifyTo }: MPDClusterSpec): VersionCfg =>
  (versionCfgModifyTo?.versionName ? versionCfgModifyTo : versionCfg) ?? {};

/** Engine of the cluster; `polar-o` of the original is PolarDB. */
export const engineOf = ({ dbType }: MPDClusterSpec): EngineName =>
  dbType === 'postgresql' ? 'postgresql' : 'polardb';
