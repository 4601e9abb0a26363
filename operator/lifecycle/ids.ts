import type { KubeClient } from '../kube/client.ts';
import { isReason } from '../kube/errors.ts';
import { RESOURCES, type ConfigMap } from '../kube/resources.ts';

/** Where the original counts its ids, and where it began. */
const COUNTER_MAP = 'polardb4mpd-controller';
const COUNTER_KEY = 'NextClusterScopeCustInsId';
const FIRST_ID = 1000;
/** Operators that run into each other are rare: one leader takes ids, a person or the original the rest. */
const TRIES = 5;
/** The last request of each client: its workers would run into each other when many clusters are made at once. */
const turns = new WeakMap<KubeClient, Promise<unknown>>();

/**
 * Takes `count` ids that nobody had before and nobody will have again: the original's counter, advanced by an update
 * that checks resourceVersion. An id that is taken and not used is a gap, never a duplicate.
 * @param above an id that is known to be given: where the counter was lost, it counts on from there
 * @throws KubeError; Error when the counter is not a number
 */
export function takeIds(client: KubeClient, namespace: string, count: number, above = 0): Promise<string[]> {
  const before = turns.get(client) ?? Promise.resolve();
  const taken = before.then(() => advance(client, namespace, count, above));
  turns.set(
    client,
    taken.catch(() => undefined),
  );
  return taken;
}

async function advance(client: KubeClient, namespace: string, count: number, above: number): Promise<string[]> {
  for (let attempt = 1; ; attempt++) {
    const map = await counterMap(client, namespace);
    const next = Math.max(parseCounter(map), above + 1);
    try {
      const data = { ...map.data, [COUNTER_KEY]: String(next + count) };
      await client.replace(RESOURCES.configMaps, { ...map, data });
      return Array.from({ length: count }, (_, i) => String(next + i));
    } catch (error) {
      if (!isReason(error, 'Conflict') || attempt === TRIES) throw error;
    }
  }
}

async function counterMap(client: KubeClient, namespace: string): Promise<ConfigMap> {
  const found = await client.get(RESOURCES.configMaps, { namespace, name: COUNTER_MAP });
  if (!found) throw new Error(`ConfigMap ${namespace}/${COUNTER_MAP} is missing: apply the settings manifests again`);
  return found;
}

function parseCounter(map: ConfigMap): number {
  const text = map.data?.[COUNTER_KEY] ?? String(FIRST_ID);
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Error(`ConfigMap ${COUNTER_MAP}: ${COUNTER_KEY} is "${text}", a whole number above 0 is needed`);
}
