import type { KubeClient } from '../kube/client.ts';
import { RESOURCES, type Secret } from '../kube/resources.ts';
import type { Logger } from '../kube/types.ts';
import { API_GROUP, CA_SECRET } from '../model/names.ts';
import { createCa } from '../pki/ca.ts';
import { decideRotation, introduced, retired, settled, switched, type RotationStep } from '../pki/rotation.ts';
import { caData, readCaData, readTlsData, TLS_SECRET_TYPE, type CaStore } from '../pki/secret.ts';

/** On the authority's Secret: a person asks for a new authority. Taken away with the first step of the rotation. */
const ROTATE_ANNOTATION = `${API_GROUP}/rotate`;

/** How often the authority is looked at, ms; while it is rotated, by each wait of an hour that the steps need. */
const LOOK_MS = 6 * 3_600_000;
const ROTATING_MS = 10 * 60_000;

export interface AuthorityTools {
  client: KubeClient;
  log: Logger;
  now: () => Date;
  systemNamespace: string;
  /** Certificates of all instances and parts, from the watch. */
  leafs: () => readonly Secret[];
}

/** Renews the authority of this installation step by step, so that at no moment two of our programs refuse each other. */
export async function keepAuthority(tools: AuthorityTools): Promise<{ requeueAfterMs: number }> {
  const { client, log, now, systemNamespace: namespace } = tools;
  const secret = await client.get(RESOURCES.secrets, { namespace, name: CA_SECRET });
  const store = readCaData(secret?.data);
  // The issuer makes the first one with the first certificate.
  if (!secret || !store) return { requeueAfterMs: LOOK_MS };
  const leafs = tools.leafs().flatMap(leaf => readTlsData(leaf.data) ?? []);
  const requested = secret.metadata.annotations?.[ROTATE_ANNOTATION] !== undefined;
  const { step, message } = decideRotation({ store, leafs, requested, now: now() });
  const next = await after(step, store, now());
  if (!next) return { requeueAfterMs: store.next || store.previous ? ROTATING_MS : LOOK_MS };
  const others = Object.entries(secret.metadata.annotations ?? {}).filter(([name]) => name !== ROTATE_ANNOTATION);
  const metadata = { ...secret.metadata, annotations: Object.fromEntries(others) };
  await client.replace(RESOURCES.secrets, { ...secret, type: TLS_SECRET_TYPE, metadata, data: caData(next) });
  log.info('rotation of the certificate authority', { step, reason: message });
  return { requeueAfterMs: ROTATING_MS };
}

/** The authority after a step; undefined when there is nothing to do. */
async function after(step: RotationStep, store: CaStore, now: Date): Promise<CaStore | undefined> {
  switch (step) {
    case 'introduce':
      return introduced(store, await createCa({ now }));
    case 'settle':
      return settled(store, now);
    case 'switch':
      return switched(store);
    case 'retire':
      return retired(store);
    default:
      return undefined;
  }
}
