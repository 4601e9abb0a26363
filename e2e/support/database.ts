import type { MPDClusterSpecInput } from '../../crds/mpdcluster/spec.ts';
import { parseRecord, type LeaseObject } from '../../operator/ha/lease.ts';
import type { GroupRecord } from '../../operator/ha/record.ts';
import type { KubeClient } from '../../operator/kube/client.ts';
import { RESOURCES, type Pod, type Secret } from '../../operator/kube/resources.ts';
import type { KubeObject } from '../../operator/kube/types.ts';
import { MPD_CLUSTERS, type RawCluster } from '../../operator/kinds/mpd.ts';
import { INCARNATION_ANNOTATION, LABEL, ORIGINAL_LABEL, roleLabel } from '../../operator/model/labels.ts';
import { appSecret, recordName, rwService } from '../../operator/model/names.ts';
import type { Role } from '../../operator/model/roles.ts';
import { missingOfCluster } from '../../scripts/quickstart/judge.ts';
import type { Cluster } from '../../scripts/quickstart/objects.ts';
import type { Look, Patience } from './eventually.ts';
import { connect, type Login, type Sql } from './sql.ts';

/** Keys of Secret `<c>-app`. */
type Application = Record<'username' | 'password' | 'dbname' | 'host' | 'port' | 'uri', string>;
type Eventually = <T>(what: string, look: Look<T>, patience?: Patience) => Promise<T>;

/** Longest start of a cluster with everything at hand, on a machine that is busy with other things, ms. */
const READY_MS = 120_000;

/** One MPDCluster of a test, as its users see it. */
export class Database {
  readonly namespace: string;
  readonly name: string;
  /** Of the object that `create` made; empty before. */
  uid = '';
  readonly #client: KubeClient;
  readonly #eventually: Eventually;

  constructor(at: { namespace: string; name: string }, tools: { client: KubeClient; eventually: Eventually }) {
    this.namespace = at.namespace;
    this.name = at.name;
    this.#client = tools.client;
    this.#eventually = tools.eventually;
  }

  async create(spec: MPDClusterSpecInput): Promise<RawCluster> {
    const { apiVersion, kind } = MPD_CLUSTERS;
    const metadata = { name: this.name, namespace: this.namespace };
    const created = await this.#client.create(MPD_CLUSTERS, { apiVersion, kind, metadata, spec });
    this.uid = created.metadata.uid ?? '';
    return created;
  }

  /** Merge patch of the whole object, as `kubectl edit` or `annotate` would do it. */
  async patch(patch: object): Promise<void> {
    await this.#client.patchMerge(MPD_CLUSTERS, this.#ref, patch);
  }

  /** @throws Error when there is none */
  async get(): Promise<RawCluster> {
    const found = await this.find();
    if (!found) throw new Error(`cluster ${this.name} is gone`);
    return found;
  }

  find(): Promise<RawCluster | undefined> {
    return this.#client.get(MPD_CLUSTERS, this.#ref);
  }

  async ready(deadlineMs = READY_MS): Promise<RawCluster> {
    return await this.#eventually(`cluster ${this.name} is Ready`, () => this.isReady(), { deadlineMs });
  }

  /** The cluster when it is Ready for its newest spec. @throws with what is missing */
  async isReady(): Promise<RawCluster> {
    const cluster = await this.get();
    const missing = missingOfCluster(cluster as unknown as Cluster);
    if (missing !== undefined) throw new Error(missing);
    return cluster;
  }

  /** Waits for a condition that speaks of the newest spec, and returns its message. */
  async condition(type: string, wanted: { status: string; says?: RegExp }, deadlineMs = 15_000): Promise<string> {
    const { status, says = /./ } = wanted;
    return await this.#eventually(
      `${type}=${status} of ${this.name} says ${String(says)}`,
      async () => {
        const { metadata, status: seen } = await this.get();
        const found = seen?.conditions?.find(it => it.type === type);
        if (found?.status === status && found.observedGeneration === metadata.generation && says.test(found.message)) {
          return found.message;
        }
        throw new Error(`is ${JSON.stringify(found)}, generation ${metadata.generation ?? 0}`);
      },
      { deadlineMs },
    );
  }

  async delete(): Promise<void> {
    await this.#client.delete(MPD_CLUSTERS, this.#ref);
  }

  async gone(deadlineMs = 90_000): Promise<void> {
    const look = async (): Promise<true> => {
      const found = await this.find();
      if (!found) return true;
      throw new Error(JSON.stringify(found.status?.operation ?? found.status?.conditions));
    };
    await this.#eventually(`cluster ${this.name} is gone`, look, { deadlineMs });
  }

  /** Engine pods, those that are leaving too; in the order of their names. */
  async pods(role?: Role): Promise<Pod[]> {
    const labels = [`${LABEL.cluster}=${this.name}`, `${LABEL.component}=engine`];
    if (role) labels.push(`${ORIGINAL_LABEL.role}=${roleLabel(role)}`);
    const { namespace } = this;
    return await this.#client.list(RESOURCES.pods, { namespace, labelSelector: labels.join(',') });
  }

  async rwPod(): Promise<Pod> {
    const [pod] = await this.pods('rw');
    if (!pod) throw new Error(`cluster ${this.name} has no pod of an RW`);
    return pod;
  }

  /** Instance id of one of its pods. */
  instanceOf({ metadata }: Pod): string {
    return metadata.labels?.[LABEL.instance] ?? '';
  }

  /** Whom Service `<c>-rw` leads to, as an incarnation; undefined when to nobody. */
  async published(): Promise<string | undefined> {
    const ref = { namespace: this.namespace, name: rwService(this.name) };
    const slice = await this.#client.get(RESOURCES.endpointSlices, ref);
    return slice?.metadata.annotations?.[INCARNATION_ANNOTATION] || undefined;
  }

  /** @throws Error when there is none, or what is there is no record */
  async record(): Promise<GroupRecord> {
    const ref = { namespace: this.namespace, name: recordName(this.name) };
    const lease = await this.#client.get(RESOURCES.leases, ref);
    if (!lease) throw new Error(`cluster ${this.name} has no record`);
    return parseRecord(lease as unknown as LeaseObject);
  }

  /** What Secret `<c>-app` tells an application. */
  async application(): Promise<Application> {
    return decode(await this.secret(appSecret(this.name))) as Application;
  }

  async secret(name: string): Promise<Secret> {
    const found = await this.#client.get(RESOURCES.secrets, { namespace: this.namespace, name });
    if (!found) throw new Error(`Secret ${name} is missing`);
    return found;
  }

  /** How the application connects to Service `<c>-rw` or `<c>-ro`, with TLS checked against our CA. */
  async login(service: 'rw' | 'ro'): Promise<Login> {
    const { username: user, password, dbname: database, port } = await this.application();
    const host = await this.#clusterIp(`${this.name}-${service}`);
    const serverName = `${this.name}-${service}.${this.namespace}.svc`;
    return { host, port: Number(port), user, password, database, tls: { ca: await this.#ca(), serverName } };
  }

  /** Runs work as the application over Service `<c>-rw` or `<c>-ro`. */
  async sql<T>(service: 'rw' | 'ro', work: (sql: Sql) => Promise<T>, login: Partial<Login> = {}): Promise<T> {
    return await connect({ ...(await this.login(service)), ...login }, work);
  }

  /** Makes table `kept` when it is missing, and adds a row. */
  async write(row: string): Promise<void> {
    await this.sql('rw', async sql => {
      await sql('CREATE TABLE IF NOT EXISTS kept (row text PRIMARY KEY)');
      await sql('INSERT INTO kept VALUES ($1)', [row]);
    });
  }

  /** Rows of table `kept`, in order. */
  async rows(service: 'rw' | 'ro' = 'rw'): Promise<string[]> {
    const rows = await this.sql(service, sql => sql<{ row: string }>('SELECT row FROM kept ORDER BY row'));
    return rows.map(({ row }) => row);
  }

  get #ref(): { namespace: string; name: string } {
    return { namespace: this.namespace, name: this.name };
  }

  async #clusterIp(name: string): Promise<string> {
    const service = await this.#client.get(RESOURCES.services, { namespace: this.namespace, name });
    const address = service?.spec?.clusterIP;
    if (!address) throw new Error(`Service ${name} has no address`);
    return address;
  }

  async #ca(): Promise<string> {
    const [secret] = await this.#client.list(RESOURCES.secrets, {
      namespace: this.namespace,
      labelSelector: `${LABEL.cluster}=${this.name},${LABEL.instance}`,
    });
    return decode(secret ?? {})['ca.crt'] ?? '';
  }
}

/** Values of a Secret as text. */
export function decode({ data = {} }: { data?: Secret['data'] } & Partial<KubeObject>): Record<string, string> {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
}
