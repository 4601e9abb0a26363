import type { Rule } from '../rules.ts';

interface Combination {
  dbClusterType: string;
  storage?: unknown;
  shareStore?: unknown;
}

const named = (object: string): string => `${object}.?versionCfg.?versionName`;
/** Compares fields as they are: of what `orValue` returns, the API server knows no length and prices it as endless. */
const sameVersionName =
  `${named('self')}.hasValue() == ${named('oldSelf')}.hasValue() && ` +
  `(!${named('self')}.hasValue() || self.versionCfg.versionName == oldSelf.versionCfg.versionName)`;
const enginePort = (object: string): string => `${object}.?netCfg.?engineStartPort.orValue(0)`;

/** Rules that look at several fields of spec, in the order in which they are reported. */
export const specRules: readonly Rule<Combination>[] = [
  {
    field: '.shareStore',
    message: 'needed for dbClusterType share, with the claim of the shared volume',
    cel: "self.dbClusterType != 'share' || has(self.shareStore)",
    holds: spec => spec.dbClusterType !== 'share' || spec.shareStore !== undefined,
  },
  {
    field: '.shareStore',
    message: 'is for dbClusterType share; local keeps its data on spec.storage',
    cel: "self.dbClusterType != 'local' || !has(self.shareStore)",
    holds: spec => spec.dbClusterType !== 'local' || spec.shareStore === undefined,
  },
  {
    field: '.storage',
    message: 'needed for dbClusterType local, with the size of the volume of each instance',
    cel: "self.dbClusterType != 'local' || has(self.storage)",
    holds: spec => spec.dbClusterType !== 'local' || spec.storage !== undefined,
  },
  {
    field: '.storage',
    message: 'is for dbClusterType local; share keeps its data on spec.shareStore',
    cel: "self.dbClusterType != 'share' || !has(self.storage)",
    holds: spec => spec.dbClusterType !== 'share' || spec.storage === undefined,
  },
  {
    field: '.dbClusterType',
    message: 'cannot be changed: make a new cluster and move the data',
    cel: 'self.dbClusterType == oldSelf.dbClusterType',
  },
  {
    field: '.dbType',
    message: 'cannot be changed: the data belongs to the engine that made it',
    cel: "(self.dbType == 'postgresql') == (oldSelf.dbType == 'postgresql')",
  },
  {
    field: '.netCfg',
    message: 'engineStartPort cannot be changed, given later or taken away: clients and instances use that port',
    cel: `${enginePort('self')} == ${enginePort('oldSelf')}`,
  },
  {
    field: '.classInfo',
    message: 'was edited while classInfoModifyTo asks for another class: empty classInfoModifyTo, or set both alike',
    cel:
      'self.classInfo.className == oldSelf.classInfo.className || ' +
      "self.?classInfoModifyTo.?className.orValue('') in ['', self.classInfo.className]",
  },
  {
    field: '.versionCfg',
    message:
      'was edited while versionCfgModifyTo asks for another version: empty versionCfgModifyTo, or set both alike',
    cel:
      `(${sameVersionName}) || ` +
      `self.?versionCfgModifyTo.?versionName.orValue('') in ['', ${named('self')}.orValue('')]`,
  },
];
