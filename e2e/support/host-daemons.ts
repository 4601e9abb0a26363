import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { ConfigMap, Pod } from '../../operator/kube/resources.ts';
import { RESOURCES } from '../../operator/kube/resources.ts';
import type { KubeObject } from '../../operator/kube/types.ts';
import { DAEMON_SUBJECT, HOST_CONDITION, HOST_FACTS_LABEL } from '../../operator/model/host.ts';
import { DAEMON_SSH_SECRET } from '../../manifests/names.ts';
import { eventually } from './eventually.ts';
import { CARD } from './host.ts';
import type { Scenario } from './scenario.ts';
import { applyInstallation, SYSTEM_NAMESPACE, withInstallation } from './stack.ts';

export const SETTINGS_NAMESPACE = 'kube-system';
const DAEMON_PODS = 'app=polarstack-daemon';

/** What a node says of a card that works. */
export const up = (address: string): Record<string, string> => ({
  [HOST_CONDITION.clientNetworkUnavailable]: `False StateUP ${CARD} StateUP`,
  [HOST_CONDITION.clientIp]: `True ${CARD} ${address}`,
});

/** What the daemons log in to their hosts with. */
export interface SshAccount {
  privateKey: string;
  knownHosts: string;
}

/** The part `daemon` on all nodes, as a site installs it, which the other tests do without. */
export class HostDaemons {
  readonly #scene: Scenario;

  constructor(scene: Scenario) {
    this.#scene = scene;
  }

  async install({ privateKey, knownHosts }: SshAccount): Promise<void> {
    const { client, kubectl } = this.#scene;
    const encode = (text: string): string => Buffer.from(text).toString('base64');
    await client.apply(RESOURCES.secrets, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: SYSTEM_NAMESPACE, name: DAEMON_SSH_SECRET },
      data: { 'ssh-privatekey': encode(privateKey), known_hosts: encode(knownHosts) },
    });
    await withInstallation(true, directory => kubectl.apply(directory));
    await eventually(
      'the daemon is ready on each host',
      async () => {
        const ref = { namespace: SYSTEM_NAMESPACE, name: DAEMON_SUBJECT.name };
        const { status } = (await client.get(RESOURCES.daemonSets, ref)) ?? {};
        if (status && status.desiredNumberScheduled > 0 && status.numberReady === status.desiredNumberScheduled)
          return true;
        throw new Error(JSON.stringify(status));
      },
      { deadlineMs: 120_000 },
    );
  }

  pods() {
    return this.#scene.client.list(RESOURCES.pods, { namespace: SYSTEM_NAMESPACE, labelSelector: DAEMON_PODS });
  }

  /** A condition of a node; undefined when it has none of this type. */
  async condition(node: string, type: string) {
    const found = await this.#scene.client.get(RESOURCES.nodes, { name: node });
    return found?.status?.conditions?.find(it => it.type === type);
  }

  /** Waits for conditions of a node, each as `<status> <reason> <message>`. */
  async says(node: string, wanted: Readonly<Record<string, string>>, deadlineMs: number): Promise<void> {
    await this.#scene.eventually(
      `${node} says ${JSON.stringify(wanted)}`,
      async () => {
        for (const [type, words] of Object.entries(wanted)) {
          const { status, reason, message } = (await this.condition(node, type)) ?? {};
          const said = `${status ?? ''} ${reason ?? ''} ${message ?? ''}`;
          if (said !== words) throw new Error(`${type} is ${said}`);
        }
        return true;
      },
      { deadlineMs },
    );
  }

  /** Names the card that clients of all hosts use. */
  async nameCard(card: string): Promise<void> {
    const ref = { namespace: SETTINGS_NAMESPACE, name: 'ccm-config' };
    await this.#scene.client.patchMerge(RESOURCES.configMaps, ref, { data: { NET_CARD_NAME: card } });
  }

  /** The daemon of a node has not been started anew. */
  async isFirst(node: string): Promise<void> {
    const pod = await this.pod(node);
    const restarts = pod.status?.containerStatuses?.[0]?.restartCount;
    if (restarts !== 0) throw new Error(`the daemon of ${node} was started anew ${restarts ?? ''} times`);
  }

  async pod(node: string): Promise<Pod> {
    return (await this.pods()).find(({ spec }) => spec?.nodeName === node)!;
  }

  map(name: string): Promise<ConfigMap | undefined> {
    return this.#scene.client.get(RESOURCES.configMaps, { namespace: SETTINGS_NAMESPACE, name });
  }

  /** As if no daemon had ever run here: a host that one spoke of, and speaks of no more, gets no instance. */
  async remove(): Promise<void> {
    const { client, kubectl, local } = this.#scene;
    const [with_, without] = await Promise.all([true, false].map(has => withInstallation(has, objectsIn)));
    const added = [...with_!].filter(object => !without!.has(object));
    for (const object of added) await kubectl.run('delete', '--ignore-not-found', ...object.split(' '));
    await client.delete(RESOURCES.secrets, { namespace: SYSTEM_NAMESPACE, name: DAEMON_SSH_SECRET });
    await eventually('no daemon runs', async () => ((await this.pods()).length === 0 ? true : undefined));
    await applyInstallation(kubectl);
    const labels = ['--namespace', SETTINGS_NAMESPACE, '--selector', HOST_FACTS_LABEL];
    await kubectl.run('delete', 'configmaps', ...labels);
    const conditions = Object.values(HOST_CONDITION).map(type => ({ type, $patch: 'delete' }));
    const patch = JSON.stringify({ status: { conditions } });
    for (const { name } of local.nodes) {
      await kubectl.run('patch', 'node', name, '--subresource=status', '--type=strategic', '--patch', patch);
    }
  }
}

/** Each as words for kubectl. */
async function objectsIn(directory: string): Promise<Set<string>> {
  const files = (await readdir(directory)).filter(name => name.endsWith('.yaml'));
  const texts = await Promise.all(files.map(name => readFile(join(directory, name), 'utf8')));
  const objects = texts.flatMap(text => parseAllDocuments(text).map(it => it.toJS() as KubeObject));
  return new Set(
    objects.map(({ apiVersion, kind, metadata: { name, namespace } }) => {
      const [group] = apiVersion.includes('/') ? apiVersion.split('/') : [''];
      const place = namespace === undefined ? '' : ` --namespace ${namespace}`;
      return `${kind}${group === '' ? '' : `.${group}`}/${name}${place}`;
    }),
  );
}
