import { isDeepStrictEqual } from 'node:util';
import { hostVolumeKey } from '../../model/host.ts';
import type { FactEdit } from '../fact-map.ts';
import type { VolumesFact } from './fact.ts';

/**
 * `polarstack-daemon-volumes-<host>`: a key `device.<name>` or `volume.<name>` for each, its value one line of JSON;
 * `gaps` has a line for each thing that could not be found out.
 */
export function volumesMap({ devices, volumes, gaps }: VolumesFact): FactEdit {
  const entries = [
    ...devices.map(({ name, ...rest }) => [hostVolumeKey('device', name), JSON.stringify(rest)] as const),
    ...volumes.map(({ name, ...rest }) => [hostVolumeKey('volume', name), JSON.stringify(rest)] as const),
  ];
  const data: Record<string, string> = Object.fromEntries(entries);
  if (gaps.length > 0) data.gaps = gaps.map(gap => `${gap}\n`).join('');
  return (current, now) =>
    isDeepStrictEqual({ ...current?.data }, data) && current
      ? undefined
      : { data, annotations: { updateTimestamp: now } };
}
