import * as z from 'zod';
import { text } from '../fields.ts';

const otherImages = {
  managerImage: text(512).optional().describe('Image of the manager; has no effect, the agent comes with this system.'),
  clusterManagerImage: text(512).optional().describe('Image of the cluster manager; has no effect.'),
  pfsdImage: text(512).optional().describe('Image of the PFS daemon; has no effect.'),
  pfsdToolImage: text(512).optional().describe('Image of the PFS tools; has no effect.'),
  otherImages: z
    .record(text(63), text(512))
    .optional()
    .describe('Images of further containers by container name; has no effect.'),
};

const wanted = {
  versionName: text(63)
    .optional()
    .describe(
      'Name of the minor version, the suffix of its ConfigMap. Empty: engineImage, else the latest version of the site.',
    ),
  engineImage: text(512)
    .optional()
    .describe(
      'Image of the engine, used when versionName is empty; a named version brings its own, as in the original.',
    ),
  ...otherImages,
};

export const versionCfg = z.object(wanted).describe('Version of the engine.');

export const versionCfgModifyTo = z
  .object(wanted)
  .describe(
    'Wanted version, as in the original: when versionName is set it is the target instead of versionCfg. Editing ' +
      'versionCfg means the same. The version that is running stands in status.versionCfg.',
  );

/** What is running. The operator fills name and engine image; the others are of clusters of the original. */
export const runningVersion = z.object({
  versionName: z.string().optional().describe('Name of the minor version; absent when it was chosen by image.'),
  engineImage: z.string().optional().describe('Image of the engine.'),
  ...otherImages,
});
