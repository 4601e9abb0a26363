import { Agent, fetch } from 'undici';
import { RESOURCES } from '../../operator/kube/resources.ts';
import { API_GROUP, CLUSTER_MANAGER_TLS_SECRET } from '../../operator/model/names.ts';
import { decode } from './database.ts';
import type { Scenario } from './scenario.ts';
import { CLUSTER_MANAGER, SYSTEM_NAMESPACE } from './stack.ts';

export interface Answer {
  status: number;
  msg?: string;
  data?: Record<string, unknown>;
}

const CLUSTERS = `mpdclusters.${API_GROUP}`;

/** Rights of a service account that a test makes, as `kubectl create role` takes them. */
export const READER = ['--verb=get', `--resource=${CLUSTERS}`];
export const MOVER = [
  '--verb=create,update,get',
  ...['', '/switchover', '/ha'].map(subresource => `--resource=${CLUSTERS}${subresource}`),
];

/** The HTTPS API of the cluster manager, as a user of one database cluster calls it. */
export class ManagerApi {
  readonly #scene: Scenario;
  readonly #base: string;
  readonly #dispatcher: Agent;

  private constructor(scene: Scenario, at: { base: string; dispatcher: Agent }) {
    this.#scene = scene;
    this.#base = at.base;
    this.#dispatcher = at.dispatcher;
  }

  /** @param cluster name of an MPDCluster in the namespace of the scenario */
  static async open(scene: Scenario, cluster: string): Promise<ManagerApi> {
    const ref = { namespace: SYSTEM_NAMESPACE, name: CLUSTER_MANAGER_TLS_SECRET };
    const ca = decode((await scene.client.get(RESOURCES.secrets, ref)) ?? {})['ca.crt'] ?? '';
    const place = { namespace: SYSTEM_NAMESPACE, name: CLUSTER_MANAGER };
    const service = await scene.client.get(RESOURCES.services, place);
    const servername = `${CLUSTER_MANAGER}.${SYSTEM_NAMESPACE}.svc`;
    return new ManagerApi(scene, {
      base: `https://${service?.spec?.clusterIP ?? ''}/clusters/${scene.namespace}/${cluster}/v1`,
      dispatcher: new Agent({ connect: { ca, servername } }),
    });
  }

  /** Makes a service account that may do what `rights` say in the namespace of the scenario. */
  async account(name: string, rights: readonly string[]): Promise<void> {
    const { kubectl, namespace } = this.#scene;
    const here = ['--namespace', namespace];
    await kubectl.run('create', 'serviceaccount', name, ...here);
    await kubectl.run('create', 'role', name, ...rights, ...here);
    const subject = `--serviceaccount=${namespace}:${name}`;
    await kubectl.run('create', 'rolebinding', name, `--role=${name}`, subject, ...here);
  }

  /** @param who service account; undefined: no token is sent */
  async call(who: string | undefined, method: 'GET' | 'POST', path: string, body?: object): Promise<Answer> {
    const { kubectl, namespace } = this.#scene;
    const token = who && (await kubectl.run('create', 'token', who, '--namespace', namespace)).trim();
    const answer = await fetch(this.#base + path, {
      method,
      dispatcher: this.#dispatcher,
      headers: {
        ...(token && { authorization: `Bearer ${token}` }),
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, ...((await answer.json()) as object) };
  }

  close(): Promise<void> {
    return this.#dispatcher.close();
  }
}
