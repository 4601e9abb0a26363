import * as z from 'zod';
import { isLinkLocal, type SeenAddress } from './card.ts';

/** What `ip -json -details address show dev <card>` prints, as far as it is needed. */
const output = z.array(
  z.object({
    ifname: z.string().optional(),
    addr_info: z
      .array(
        z.object({
          family: z.string(),
          local: z.string(),
          prefixlen: z.number(),
          scope: z.string().optional(),
          secondary: z.boolean().optional(),
          deprecated: z.boolean().optional(),
          tentative: z.boolean().optional(),
          dadfailed: z.boolean().optional(),
        }),
      )
      .optional(),
  }),
);

type AddressInfo = NonNullable<z.infer<typeof output>[number]['addr_info']>[number];

/**
 * Addresses of a card that clients could use: none that is about to go, not yet proven unique, or of the link alone.
 * @throws Error when the text is not what `ip` prints
 */
export function parseAddresses(card: string, text: string): SeenAddress[] {
  // Old releases of `ip` print an empty object for each card that was not asked for.
  const cards = output.parse(JSON.parse(text));
  const infos = cards.filter(({ ifname }) => ifname === card).flatMap(({ addr_info: all = [] }) => all);
  return infos.filter(isUsable).map(info => ({
    address: info.local,
    family: info.family === 'inet' ? 4 : 6,
    prefix: info.prefixlen,
    isSecondary: info.secondary ?? false,
  }));
}

function isUsable({ family, local, scope = 'global', deprecated, tentative, dadfailed }: AddressInfo): boolean {
  if (family !== 'inet' && family !== 'inet6') return false;
  return scope !== 'link' && scope !== 'host' && !isLinkLocal(local) && !deprecated && !tentative && !dadfailed;
}
