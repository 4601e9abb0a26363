import { KubeClient } from '../client.ts';
import type { ClientOptions } from '../options.ts';
import type { Logger } from '../types.ts';
import type { StoredObject } from './fake-store.ts';

/** Test only: small things that several tests of this room need. */

export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** A client of a plain http server. */
export function clientOf(server: string, options: Partial<ClientOptions> = {}): KubeClient {
  const credentials = (): Promise<{ server: string; headers: object; tls: object }> =>
    Promise.resolve({ server, headers: {}, tls: {} });
  return new KubeClient({ credentials: credentials as ClientOptions['credentials'], fieldManager: 'test', ...options });
}

export function configMap(
  name: string,
  data: Record<string, string> = {},
  labels: Record<string, string> = {},
): ConfigMapObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'ns', labels }, data };
}

type ConfigMapObject = StoredObject & { apiVersion: 'v1'; kind: 'ConfigMap'; data: Record<string, string> };

/** Polls until `check` gives something truthy. @throws Error naming `what` after the deadline */
export async function until<T>(what: string, check: () => T, deadlineMs = 2_000): Promise<NonNullable<T>> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const value = check();
    if (value) return value;
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}
