import type { KubeClient } from '../kube/client.ts';
import { isReason } from '../kube/errors.ts';
import { RESOURCES, type Secret } from '../kube/resources.ts';
import type { Logger } from '../kube/types.ts';
import { CA_SECRET } from '../model/names.ts';
import { createCa } from '../pki/ca.ts';
import { issueLeaf } from '../pki/leaf.ts';
import { decideLeaf, isUsable } from '../pki/renewal.ts';
import { bundleOf, caData, readCaData, readTlsData, TLS_SECRET_TYPE, tlsData, type CaStore } from '../pki/secret.ts';
import type { Subject } from '../pki/subject.ts';
import type { Issuer } from './context.ts';

interface IssuerTools {
  client: KubeClient;
  log: Logger;
  now: () => Date;
  systemNamespace: string;
}

/** A certificate that was found good is not read again for so long, ms: each look at a cluster asks for all of its. */
const KEPT_MS = 600_000;

/** The authority of this installation, and certificates signed by it. Its key is read once and kept in memory. */
export class CaIssuer implements Issuer {
  readonly #tools: IssuerTools;
  #store: Promise<CaStore> | undefined;
  /** Secrets, as the watch gave them, whose certificate was found good: for whom, and until when that holds. */
  readonly #kept = new WeakMap<Secret, { sign: string; until: number }>();

  constructor(tools: IssuerTools) {
    this.#tools = tools;
  }

  /** Certificate of one of our own parts, not stored: it lives as long as the process that asked for it. */
  async partFiles(part: Subject['part'], name: string): Promise<{ ca: string; cert: string; key: string }> {
    const store = await this.#authority();
    const leaf = await issueLeaf(store.current, { subject: { part, name }, sans: [] }, { now: this.#tools.now() });
    return { ca: bundleOf(store), cert: leaf.certificate, key: leaf.key };
  }

  async secretData(request: {
    current?: Secret;
    subject: Subject;
    names: readonly string[];
  }): Promise<Record<string, string> | undefined> {
    const store = await this.#authority();
    const { current, subject } = request;
    const bundle = bundleOf(store);
    const now = this.#tools.now();
    const sign = JSON.stringify([bundle, subject, request.names]);
    const kept = current && this.#kept.get(current);
    if (kept?.sign === sign && now.getTime() < kept.until) return undefined;
    const stored = readTlsData(current?.data);
    const ca = store.current.certificate;
    const verdict = decideLeaf({ stored, subject, sans: request.names, ca, bundle, now });
    if (verdict.action === 'keep') {
      if (current) this.#kept.set(current, { sign, until: now.getTime() + KEPT_MS });
      return undefined;
    }
    if (verdict.action === 'rewrite' && stored) return tlsData({ ...stored, bundle });
    this.#tools.log.info('issuing certificate', { subject: subject.name, reason: verdict.message });
    const leaf = await issueLeaf(store.current, { subject, sans: request.names }, { now });
    return tlsData({ ...leaf, bundle });
  }

  /** The authority has changed: it is read again with the next certificate. */
  forget(): void {
    this.#store = undefined;
  }

  /** Read again after a failure; two operators that start together end with the one that was created first. */
  #authority(): Promise<CaStore> {
    this.#store ??= this.#readOrCreate().catch((error: unknown) => {
      this.#store = undefined;
      throw error;
    });
    return this.#store;
  }

  async #readOrCreate(): Promise<CaStore> {
    const { client, systemNamespace: namespace } = this.#tools;
    const found = await client.get(RESOURCES.secrets, { namespace, name: CA_SECRET });
    if (!found) return this.#create();
    const store = readCaData(found.data);
    if (store && isUsable(store.current)) return store;
    throw new Error(`Secret ${namespace}/${CA_SECRET} holds no authority; restore it, or delete it to begin a new one`);
  }

  async #create(): Promise<CaStore> {
    const { client, now, log, systemNamespace: namespace } = this.#tools;
    const store: CaStore = { current: await createCa({ now: now() }) };
    const metadata = { namespace, name: CA_SECRET };
    try {
      const data = caData(store);
      await client.create(RESOURCES.secrets, {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata,
        type: TLS_SECRET_TYPE,
        data,
      });
    } catch (error) {
      if (isReason(error, 'AlreadyExists')) return this.#readOrCreate();
      throw error;
    }
    log.info('created the certificate authority', { secret: `${namespace}/${CA_SECRET}` });
    return store;
  }
}
