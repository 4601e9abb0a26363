import * as z from 'zod';
import { text } from '../fields.ts';
import { withRules } from '../rules.ts';
import { ha, haDefaults, initDatabase } from './availability.ts';
import { dbProxyInfo, netCfg } from './network.ts';
import { classInfo, classInfoModifyTo, resourceAdditional, resources } from './sizing.ts';
import { specRules } from './rules.ts';
import { localVolName, shareStore, storage } from './storage.ts';
import { versionCfg, versionCfgModifyTo } from './version.ts';

const fields = z.object({
  operatorName: text(63)
    .default('polar-mpd')
    .describe('Which operator answers for the cluster; others leave it alone.'),
  dbClusterType: z
    .enum(['share', 'local'])
    .default('local')
    .describe('share: one volume for all instances. local: a volume each, with streaming replication.'),
  dbType: z
    .enum(['polardb', 'postgresql', 'polar-o'])
    .default('polardb')
    .describe('Engine. polar-o, the default of the original, means polardb.'),
  description: text(1024).optional().describe('Free text of yours.'),
  followerNum: z
    .int()
    .min(0)
    .max(20)
    .meta({ format: 'int32' })
    .default(2)
    .describe('Number of read-only instances beside the one read-write instance.'),
  classInfo,
  classInfoModifyTo: classInfoModifyTo.optional(),
  resources: resources.optional().describe('Overrides single resources of the class for the engine container.'),
  resourceAdditional: resourceAdditional.optional(),
  storage: storage.optional(),
  shareStore: shareStore.optional(),
  localVolName: localVolName.optional(),
  netCfg: netCfg.optional(),
  dbProxyInfo: dbProxyInfo.optional(),
  versionCfg: versionCfg.optional(),
  versionCfgModifyTo: versionCfgModifyTo.optional(),
  initDatabase: initDatabase.prefault({}),
  ha: ha.default(haDefaults),
  stopped: z
    .boolean()
    .default(false)
    .describe('true stops all engines and keeps volumes, ids and Secrets; false starts them again.'),
  terminationPolicy: z
    .enum(['Retain', 'Delete'])
    .default('Retain')
    .describe(
      'What becomes of the volumes of a deleted cluster (local). The claim of a shared volume is never deleted.',
    ),
  deletionProtection: z.boolean().default(false).describe('true refuses to delete the cluster until it is false.'),
});

export const mpdClusterSpec = withRules(fields, specRules).describe('What you want.');

/** As the API server stores it: defaults filled in. */
export type MPDClusterSpec = z.output<typeof fields>;
/** As a person writes it. */
export type MPDClusterSpecInput = z.input<typeof fields>;
