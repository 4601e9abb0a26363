import * as z from 'zod';
import { objectName, quantity, text } from '../fields.ts';
import { quantityValue } from '../quantity.ts';
import { unchangeable, withRules } from '../rules.ts';

export const shareStore = z
  .object({
    drive: withRules(z.enum(['pvc', 'wwid']), [
      {
        message: 'only pvc works: make a PersistentVolumeClaim for the volume and name it in sharePvcName',
        cel: "self == 'pvc'",
        holds: drive => drive === 'pvc',
      },
    ])
      .default('pvc')
      .describe('How the volume is named. wwid never worked in the original either.'),
    sharePvcName: withRules(objectName(), [unchangeable('the data is on that volume')]).describe(
      'Claim of the shared volume (ReadWriteMany). It belongs to you: it is never created, formatted twice or deleted.',
    ),
    sharePvcNamespace: text(63)
      .optional()
      .describe(
        'Namespace of the claim. As in the original, the namespace of the cluster counts: pods mount no other claims.',
      ),
    volumeId: withRules(text(128), [unchangeable('the data is on that volume')])
      .optional()
      .describe('Id of the volume in the storage, for example the WWID of its LUN. Becomes a label of the pods.'),
    volumeType: text(32).optional().describe('Kind of volume in the storage, for example multipath or lun.'),
    diskQuota: z
      .string()
      .max(15)
      .regex(/^[0-9]*$/, 'must be a number of megabytes')
      .optional()
      .describe('Megabytes that the engine may use, as in the original.'),
    shareVolumeWWID: text(128).optional().describe('WWID of the volume for drive wwid; has no effect.'),
    isVolumeFormat: z.boolean().optional().describe('Format the volume, for drive wwid; has no effect.'),
    volumeFormat: text(32).optional().describe('File system of the volume, for drive wwid; has no effect.'),
  })
  .describe('The one volume of all instances; needed for dbClusterType share.');

export const storage = z
  .object({
    size: withRules(quantity(), [
      {
        message: 'must be greater than 0',
        cel: "quantity(string(self)).isGreaterThan(quantity('0'))",
        holds: size => quantityValue(size) > 0,
      },
      {
        message: 'cannot shrink: a volume only grows',
        cel: 'quantity(string(self)).compareTo(quantity(string(oldSelf))) >= 0',
      },
    ]).describe('Size of the volume of each instance, for example 20Gi.'),
    className: withRules(objectName(), [unchangeable('the volumes exist')])
      .optional()
      .describe('StorageClass of the volumes. Absent: the default class of Kubernetes.'),
  })
  .describe('The volume of each instance; needed for dbClusterType local.');

export const localVolName = withRules(text(253), [
  {
    message: 'there is no MPDLocalVolume here: ask for volumes by spec.storage',
    cel: "self == ''",
    holds: name => name === '',
  },
]).describe('MPDLocalVolume of the original, a kind without a controller.');
