import { Agent, fetch } from 'undici';
import type { HostView } from '../../operator/daemon/api/host-view.ts';
import { resource, RESOURCES } from '../../operator/kube/resources.ts';
import type { KubeObject } from '../../operator/kube/types.ts';
import { DAEMON_SUBJECT, DAEMON_TLS_SECRET } from '../../operator/model/host.ts';
import { API_GROUP, dnsNames } from '../../operator/model/names.ts';
import { DAEMON_PORTS } from '../../manifests/names.ts';
import { decode } from './database.ts';
import type { Scenario } from './scenario.ts';
import { SYSTEM_NAMESPACE } from './stack.ts';

interface Role extends KubeObject {
  rules: object[];
}
const CLUSTER_ROLES = resource<Role>('rbac.authorization.k8s.io/v1', 'ClusterRole', 'clusterroles', false);

export interface HostAnswer {
  status: number;
  code: string;
  data: unknown;
  message: string;
  requestId: string;
}

/** The HTTPS API of the daemons, as a service account that may do all of it, or one that may do nothing. */
export class HostApi {
  readonly #scene: Scenario;
  readonly #dispatcher: Agent;

  private constructor(scene: Scenario, dispatcher: Agent) {
    this.#scene = scene;
    this.#dispatcher = dispatcher;
  }

  static async open(scene: Scenario): Promise<HostApi> {
    const ref = { namespace: SYSTEM_NAMESPACE, name: DAEMON_TLS_SECRET };
    const ca = decode((await scene.client.get(RESOURCES.secrets, ref)) ?? {})['ca.crt'] ?? '';
    const [servername] = dnsNames(DAEMON_SUBJECT.name, SYSTEM_NAMESPACE);
    const api = new HostApi(scene, new Agent({ connect: { ca, servername } }));
    await api.#accounts();
    return api;
  }

  /** @param who service account; undefined: no token is sent */
  async call(
    who: 'admin' | 'nobody' | undefined,
    method: 'GET' | 'POST',
    { node, path }: { node: string; path: string },
  ): Promise<HostAnswer> {
    const { kubectl, namespace, local } = this.#scene;
    const token = who && (await kubectl.run('create', 'token', who, '--namespace', namespace)).trim();
    const address = local.nodes.find(({ name }) => name === node)?.address ?? '';
    const answer = await fetch(`https://${address}:${DAEMON_PORTS.api}/api/v1${path}`, {
      method,
      dispatcher: this.#dispatcher,
      headers: token ? { authorization: `Bearer ${token}` } : {},
    });
    return { status: answer.status, ...((await answer.json()) as Omit<HostAnswer, 'status'>) };
  }

  /** All that a host knows of itself. */
  async host(node: string): Promise<HostView> {
    const { status, data, message } = await this.call('admin', 'GET', { node, path: '/host' });
    if (status !== 200) throw new Error(message);
    return data as HostView;
  }

  async close(): Promise<void> {
    await this.#scene.client.delete(CLUSTER_ROLES, { name: this.#role });
    await this.#scene.kubectl.run('delete', 'clusterrolebinding', this.#role, '--ignore-not-found');
    await this.#dispatcher.close();
  }

  get #role(): string {
    return this.#scene.namespace;
  }

  async #accounts(): Promise<void> {
    const { client, kubectl, namespace } = this.#scene;
    for (const name of ['admin', 'nobody'])
      await kubectl.run('create', 'serviceaccount', name, '--namespace', namespace);
    // kubectl makes rules for what exists only; hosts exist in rules alone.
    const resources = ['hosts', 'hosts/versions', 'hosts/ports', 'hosts/logs'];
    const { apiVersion, kind } = CLUSTER_ROLES;
    await client.create(CLUSTER_ROLES, {
      apiVersion,
      kind,
      metadata: { name: this.#role },
      rules: [{ apiGroups: [API_GROUP], resources, verbs: ['get', 'create'] }],
    });
    const subject = `--serviceaccount=${namespace}:admin`;
    await kubectl.run('create', 'clusterrolebinding', this.#role, `--clusterrole=${this.#role}`, subject);
  }
}
