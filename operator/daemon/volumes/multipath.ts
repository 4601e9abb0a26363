import { z } from 'zod';

/** The paths of a multipath device as its daemon sees them. */
export interface MapPaths {
  total: number;
  active: number;
}

/** What is read of `multipathd show maps json` (multipath-tools, libmultipath/print.c). */
const ANSWER = z.object({
  maps: z.array(
    z.object({
      name: z.string(),
      path_groups: z.array(
        z.object({
          paths: z.array(z.object({ dm_st: z.string(), chk_st: z.string() })),
        }),
      ),
    }),
  ),
});

/** States of the path checker in which I/O goes through; `ghost` is the passive side of an array. */
const USABLE = new Set(['ready', 'ghost']);

/**
 * Paths by the name of their map. A path counts as active when the kernel uses it and the checker reaches its device:
 * the kernel alone learns of a lost path by the next I/O only.
 * @throws Error when the text is something else
 */
export function parseMultipaths(text: string): Map<string, MapPaths> {
  const { maps } = ANSWER.parse(JSON.parse(text));
  return new Map(
    maps.map(({ name, path_groups }) => {
      const paths = path_groups.flatMap(group => group.paths);
      const active = paths.filter(({ dm_st, chk_st }) => dm_st === 'active' && USABLE.has(chk_st));
      return [name, { total: paths.length, active: active.length }];
    }),
  );
}
