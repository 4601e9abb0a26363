import { randomBytes } from 'node:crypto';
import type { MPDClusterSpecInput } from '../../crds/mpdcluster/spec.ts';
import { RESOURCES } from '../../operator/kube/resources.ts';
import { MPD_CLUSTERS } from '../../operator/kinds/mpd.ts';
import { gather, renderFindings } from '../../scripts/quickstart/diagnosis.ts';
import { PARTS } from '../../scripts/quickstart/install.ts';
import { Database } from './database.ts';
import { eventually, type Look, type Patience } from './eventually.ts';
import { stack, SYSTEM_NAMESPACE, TEST_LABEL, type Stack } from './stack.ts';

/** What one file of tests works with: the stack, and a namespace of its own. */
export class Scenario {
  readonly namespace: string;
  readonly #made: Database[] = [];
  #stack: Stack | undefined;

  constructor(name: string) {
    this.namespace = `e2e-${name}-${randomBytes(3).toString('hex')}`;
  }

  get client(): Stack['client'] {
    return this.#opened.client;
  }

  get kubectl(): Stack['kubectl'] {
    return this.#opened.kubectl;
  }

  get local(): Stack['local'] {
    return this.#opened.local;
  }

  /** A cluster that a test will create by itself; it is taken away with the scenario. */
  database(name: string, namespace = this.namespace): Database {
    const tools = { client: this.client, eventually: this.eventually };
    const database = new Database({ namespace, name }, tools);
    this.#made.push(database);
    return database;
  }

  /** Creates a cluster; does not wait for it. */
  async newCluster(name: string, spec: MPDClusterSpecInput): Promise<Database> {
    const database = this.database(name);
    await database.create(spec);
    return database;
  }

  /** As {@link eventually}; a failure shows conditions, pods, events and the operator's log. */
  eventually = async <T>(what: string, look: Look<T>, patience?: Patience): Promise<T> => {
    try {
      return await eventually(what, look, patience);
    } catch (error) {
      const findings = await Promise.all(this.#made.map(database => this.#diagnose(database)));
      throw new Error(`${(error as Error).message}\n${findings.join('\n')}`, { cause: error });
    }
  };

  async open(): Promise<void> {
    this.#stack = await stack();
    await this.client.create(RESOURCES.namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: this.namespace, labels: { [TEST_LABEL]: String(process.pid) } },
    });
    // What Kubernetes itself puts into a new namespace.
    const namespace = this.namespace;
    await this.eventually(`namespace ${namespace} is furnished`, async () => {
      const account = await this.client.get(RESOURCES.serviceAccounts, { namespace, name: 'default' });
      const ca = await this.client.get(RESOURCES.configMaps, { namespace, name: 'kube-root-ca.crt' });
      return account && ca;
    });
  }

  async close(): Promise<void> {
    if (!this.#stack) return;
    const { client, namespace } = this;
    for (const { metadata } of await client.list(MPD_CLUSTERS, { namespace })) {
      const ref = { namespace, name: metadata.name };
      await client.patchMerge(MPD_CLUSTERS, ref, { spec: { deletionProtection: false } });
      await client.delete(MPD_CLUSTERS, ref);
    }
    for (const database of this.#made) await database.gone();
    // Kubernetes takes its time for the rest, which nothing depends on.
    await client.delete(RESOURCES.namespaces, { name: namespace });
    await this.local.recycleVolumes();
  }

  get #opened(): Stack {
    if (!this.#stack) throw new Error('the scenario is open in tests and hooks only');
    return this.#stack;
  }

  async #diagnose({ namespace, name }: Database): Promise<string> {
    const place = { systemNamespace: SYSTEM_NAMESPACE, namespace, cluster: name };
    return `-- cluster ${name}\n${renderFindings(await gather(this.kubectl, place, PARTS))}`;
  }
}

/** Opens a scenario before the tests of the suite around it, and takes everything away after them. */
export function scenario(name: string): Scenario {
  const opened = new Scenario(name);
  before(async function () {
    // The first one to ask brings up Kubernetes and builds images.
    this.timeout(15 * 60_000);
    await opened.open();
  });
  after(async function () {
    this.timeout(180_000);
    await opened.close();
  });
  return opened;
}
