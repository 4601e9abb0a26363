import { z } from 'zod';
import { text } from '../fields.ts';

const image = (what: string) =>
  text(512).optional().describe(`Image of the ${what}; has no effect: one image holds all parts.`);

const fields = {
  versionName: text(63)
    .optional()
    .describe(
      'Name of the minor version, the suffix of its ConfigMap. Empty: engineImage, else the latest version of the site.',
    ),
  engineImage: text(512)
    .optional()
    .describe(
      'Image of the engine, used when versionName is empty. With versionName the image of that version is used.',
    ),
  managerImage: image('manager'),
  clusterManagerImage: image('cluster manager'),
  pfsdImage: image('PFS daemon'),
  pfsdToolImage: image('PFS tools'),
  otherImages: z
    .record(text(63), text(512))
    .optional()
    .describe('Images of further containers by container name; has no effect.'),
};

export const versionCfg = z.object(fields).describe('Version of the engine.');

export const versionCfgModifyTo = z
  .object(fields)
  .describe(
    'Wanted version, as in the original: when versionName is set it is the target instead of versionCfg. Editing versionCfg means ' +
      'the same. The version that is running stands in status.versionCfg.',
  );
