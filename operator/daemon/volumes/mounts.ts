/** A mount of the host that belongs to a volume of a pod. */
export interface VolumeMount {
  volume: string;
  fsType: string;
  source: string;
  /** `major:minor` of its file system. */
  number: string;
  /** Its file system takes no writes any more, and nobody wanted that. */
  isBroken: boolean;
}

/** `<kubelet>/pods/<uid>/volumes/<plugin>/<volume>`, for CSI with `/mount` behind it. */
const OF_A_POD = /\/pods\/[^/]+\/volumes\/([^/]+)\/([^/]+)(?:\/mount)?$/;
/** Kinds of volumes that hold no data of their own. */
const NO_DATA = /~(configmap|secret|projected|downward-api|empty-dir)$/;

/**
 * The volumes that pods of this host have mounted, each once, in order of their names.
 * @param text of `/proc/<pid>/mountinfo` (proc(5))
 */
export function volumeMounts(text: string): VolumeMount[] {
  const mounts = new Map<string, VolumeMount>();
  for (const line of text.split('\n')) {
    const mount = mountOf(line);
    if (!mount) continue;
    const isBroken = mount.isBroken || mounts.get(mount.volume)?.isBroken === true;
    mounts.set(mount.volume, { ...mount, isBroken });
  }
  return [...mounts.values()].sort((a, b) => (a.volume < b.volume ? -1 : 1));
}

/** id parent number root point options [fields] - type source options */
const LINE = /^\S+ \S+ (\S+) \S+ (\S+) (\S+)(?: \S+)*? - (\S+) (\S+) (\S+)$/;

function mountOf(line: string): VolumeMount | undefined {
  const parts = LINE.exec(line);
  if (!parts) return undefined;
  const [number, point, options, fsType, source, superOptions] = parts.slice(1) as Six;
  const [, plugin, volume] = OF_A_POD.exec(plain(point)) ?? [];
  if (!plugin || !volume || NO_DATA.test(plugin)) return undefined;
  const isBroken = isStopped(superOptions) || (!isReadOnly(options) && isReadOnly(superOptions));
  return { volume, fsType, source: plain(source), number, isBroken };
}

type Six = [string, string, string, string, string, string];

const isReadOnly = (options: string): boolean => options.split(',').includes('ro');

/** Says the file system itself after an error: ext4 since Linux 6.15 (fs/ext4/super.c); before, it became read-only. */
const isStopped = (options: string): boolean => /(^|,)(emergency_ro|shutdown)(,|$)/.test(options);

/** Blanks and backslashes of names are written as octal numbers. */
const plain = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
