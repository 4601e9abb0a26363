import { isIP } from 'node:net';
import type { Node } from '../../kube/resources.ts';
import { HOST_CONDITION, silentSince } from '../../model/host.ts';

/** In this order: what a site's own tools say, as in the original, then what the daemon finds out. */
const TYPES = ['StandbyIP', HOST_CONDITION.clientIp];

/** The address of a host that its node's conditions tell; undefined when none is in force: a silent daemon's is not. */
export function standByIp({ status }: Pick<Node, 'status'>, now: Date): string | undefined {
  const conditions = status?.conditions ?? [];
  const isSilent = silentSince(conditions, now) !== undefined;
  const counted = TYPES.filter(type => type !== HOST_CONDITION.clientIp || !isSilent);
  const found = counted.flatMap(type => conditions.filter(it => it.type === type));
  // The original writes 0.0.0.0 for an address that it never had.
  return found.find(({ status: state, message = '' }) => state === 'True' && isIP(message) > 0 && message !== '0.0.0.0')
    ?.message;
}
