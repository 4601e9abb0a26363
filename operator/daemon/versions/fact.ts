/** Which versions this host can run without pulling an image. */
export interface VersionsFact {
  /** Versions whose images are all here. */
  existing: readonly string[];
  /** By version: the images that are not here. */
  missing: Readonly<Record<string, readonly string[]>>;
}
