import type { SettingsMap } from '../../settings/types.ts';
import { versionName } from '../../settings/versions.ts';
import type { FactEdit } from '../fact-map.ts';
import type { VersionsFact } from './fact.ts';

/** A minor version and the images that its clusters run. */
export interface WantedVersion {
  name: string;
  images: readonly string[];
}

/** The versions of the site's maps, in the order of these; a map without images says something else (the default). */
export function wantedVersions(maps: readonly SettingsMap[]): WantedVersion[] {
  const versions = maps.map(map => ({ name: versionName(map), images: imagesOf(map.data ?? {}) }));
  return versions.filter(({ name, images }) => name !== '' && images.length > 0);
}

/** The original's rule: keys that have `Image` in them, not at their beginning, and say something. */
function imagesOf(data: Readonly<Record<string, string>>): string[] {
  const images = Object.entries(data)
    .filter(([key]) => key.indexOf('Image') > 0)
    .map(([, image]) => image.trim());
  return [...new Set(images)].filter(image => image !== '').sort();
}

/** Which versions can run on a host that has these images. */
export function availability(versions: readonly WantedVersion[], present: ReadonlySet<string>): VersionsFact {
  const lacking = versions.map(({ name, images }) => ({ name, images: images.filter(image => !present.has(image)) }));
  return {
    existing: lacking.filter(({ images }) => images.length === 0).map(({ name }) => name),
    missing: Object.fromEntries(
      lacking.filter(({ images }) => images.length > 0).map(({ name, images }) => [name, images]),
    ),
  };
}

/**
 * `polarstack-daemon-version-availability-<host>`: `existingVersions` and `checkTime` are the original's; the time is that
 * of the newest change. `missingImages` has a line `<version>: <image> <image>` for each version that cannot run.
 */
export function versionAvailability({ existing, missing }: VersionsFact): FactEdit {
  const existingVersions = existing.join(',');
  const missingImages = Object.entries(missing)
    .map(([version, images]) => `${version}: ${images.join(' ')}\n`)
    .join('');
  return (current, now) => {
    const { existingVersions: before, missingImages: lackedBefore = '', checkTime, ...others } = current?.data ?? {};
    if (before === existingVersions && lackedBefore === missingImages && checkTime !== undefined) return undefined;
    const lacks: Record<string, string> = missingImages === '' ? {} : { missingImages };
    return { data: { ...others, existingVersions, ...lacks, checkTime: now } };
  };
}
