import type { KubeClient } from '../../operator/kube/client.ts';
import { resource, RESOURCES, type ResourceType } from '../../operator/kube/resources.ts';
import type { KubeObject } from '../../operator/kube/types.ts';
import { MPD_CLUSTERS, MPD_OPERATIONS } from '../../operator/kinds/mpd.ts';
import { DAEMON_TLS_SECRET } from '../../operator/model/host.ts';
import { CA_SECRET, CLUSTER_MANAGER_TLS_SECRET } from '../../operator/model/names.ts';
import { SYSTEM_NAMESPACE } from './stack.ts';

/** What a cluster could leave behind: every kind that we create, and those that Kubernetes makes for them. */
const NAMESPACED: readonly ResourceType[] = [
  MPD_CLUSTERS,
  MPD_OPERATIONS,
  ...Object.values(RESOURCES).filter(type => type.namespaced && type !== RESOURCES.events),
  resource('v1', 'Endpoints', 'endpoints'),
  resource('v1', 'PodTemplate', 'podtemplates'),
  resource('apps/v1', 'ControllerRevision', 'controllerrevisions'),
  resource('apps/v1', 'StatefulSet', 'statefulsets'),
  resource('apps/v1', 'DaemonSet', 'daemonsets'),
  resource('batch/v1', 'Job', 'jobs'),
];
const CLUSTER_SCOPED: readonly ResourceType[] = [
  RESOURCES.namespaces,
  RESOURCES.storageClasses,
  RESOURCES.customResourceDefinitions,
  resource('rbac.authorization.k8s.io/v1', 'ClusterRole', 'clusterroles', false),
  resource('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', 'clusterrolebindings', false),
  resource('storage.k8s.io/v1', 'VolumeAttachment', 'volumeattachments', false),
];

/**
 * All objects of a namespace, of our own and the settings' namespace, and cluster-scoped ones, as sorted
 * `kind namespace/name`. Without Events, which remain on purpose, the pods of the operator itself, which come and go,
 * and what is on its way out.
 */
export async function inventory(client: KubeClient, namespace: string): Promise<string[]> {
  const found = await everything(client, namespace);
  return found
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(nameOf)
    .sort();
}

/** What is there now, also if it is on its way out, and was not; and what was and is not. */
export async function changesSince(
  before: readonly string[],
  client: KubeClient,
  namespace: string,
): Promise<{ more: string[]; fewer: string[] }> {
  const now = (await everything(client, namespace)).map(nameOf).sort();
  return { more: now.filter(it => !before.includes(it)), fewer: before.filter(it => !now.includes(it)) };
}

const nameOf = ({ kind, metadata }: KubeObject): string => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;

/** Pods of our parts, and the authority with the certificates of parts, which the operator makes and keeps. */
const isOfInstallation = ({ kind, metadata: { name, namespace } }: KubeObject): boolean =>
  namespace === SYSTEM_NAMESPACE &&
  (kind === 'Pod' || (kind === 'Secret' && [CA_SECRET, CLUSTER_MANAGER_TLS_SECRET, DAEMON_TLS_SECRET].includes(name)));

/** Namespaces of tests that run at the same time come and go. */
const isOfOtherTests = ({ kind, metadata: { name } }: KubeObject, own: string): boolean =>
  kind === 'Namespace' && name.startsWith('e2e-') && !name.startsWith(own);

async function everything(client: KubeClient, namespace: string): Promise<KubeObject[]> {
  const namespaces = [namespace, SYSTEM_NAMESPACE, 'kube-system', 'default'];
  const asked = [
    ...CLUSTER_SCOPED.map(type => ({ type, namespace: undefined })),
    ...NAMESPACED.flatMap(type => namespaces.map(one => ({ type, namespace: one }))),
  ];
  const lists = await Promise.all(asked.map(({ type, namespace: at }) => client.list(type, { namespace: at })));
  return lists.flat().filter(object => !isOfInstallation(object) && !isOfOtherTests(object, namespace));
}
