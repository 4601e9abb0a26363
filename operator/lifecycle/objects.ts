import { isReason } from '../kube/errors.ts';
import { applyIfChanged } from '../kube/apply.ts';
import { RESOURCES, type ResourceType, type Secret } from '../kube/resources.ts';
import { keyOf, type KubeObject } from '../kube/types.ts';
import { instanceTlsSecret, roService, runningParams, rwService, dnsNames } from '../model/names.ts';
import { clusterLabels } from '../model/labels.ts';
import { TLS_SECRET_TYPE } from '../pki/secret.ts';
import { buildRole, buildRoleBinding, buildServiceAccount } from './builders/access.ts';
import { buildRunningParams, buildUserParams } from './builders/params.ts';
import { buildAccountSecret, buildAppSecret, SYSTEM_ACCOUNTS } from './builders/secrets.ts';
import {
  buildRoDisruptionBudget,
  buildRoService,
  buildRwDisruptionBudget,
  buildRwService,
} from './builders/services.ts';
import { buildDataClaim } from './builders/volumes.ts';
import { podOf, type Children, type ClusterContext } from './context.ts';
import { clientAddress } from './gather/hosts.ts';
import type { ClusterPlan } from './plan.ts';
import type { ClusterInstance } from '../kinds/instances.ts';
import { instanceMeta } from './builders/meta.ts';

/**
 * Makes what is missing and mends what drifted of all objects beside the pods, once in a look. Costs no call when all is
 * in order.
 */
export async function ensureObjects(context: ClusterContext): Promise<void> {
  const { plan } = context;
  if (context.ensured === plan) return;
  await ensureSecrets(context);
  await ensureParams(context);
  await applyChild(context, RESOURCES.serviceAccounts, buildServiceAccount(plan));
  await applyChild(context, RESOURCES.roles, buildRole(plan));
  await applyChild(context, RESOURCES.roleBindings, buildRoleBinding(plan));
  await applyChild(context, RESOURCES.services, buildRwService(plan));
  await applyChild(context, RESOURCES.services, buildRoService(plan));
  await applyChild(context, RESOURCES.podDisruptionBudgets, buildRoDisruptionBudget(plan));
  const ofRw = buildRwDisruptionBudget(plan);
  if (ofRw) await applyChild(context, RESOURCES.podDisruptionBudgets, ofRw);
  await Promise.all(plan.instances.map(instance => ensureInstanceObjects(context, instance)));
  context.ensured = plan;
}

/** Applies one child, unless the watch shows it as wanted already. */
async function applyChild<T extends KubeObject>(
  { tools, children }: ClusterContext,
  type: ResourceType<T>,
  desired: T,
): Promise<void> {
  const current = childrenOf(children, type).find(it => keyOf(it.metadata) === keyOf(desired.metadata));
  await applyIfChanged(tools.client, { type, desired, current: current as T | undefined });
}

/** Objects of which only the first version is ours: passwords, and parameters that belong to a person from then on. */
async function createOnce<T extends KubeObject>(
  context: ClusterContext,
  type: ResourceType<T>,
  desired: T,
): Promise<void> {
  const { tools, children } = context;
  if (childrenOf(children, type).some(it => it.metadata.name === desired.metadata.name)) return;
  try {
    await tools.client.create(type, desired);
  } catch (error) {
    if (!isReason(error, 'AlreadyExists')) throw error;
    await bringIntoSight(context, type, desired);
  }
}

/** The watch shows only what carries our labels: without them, changes of it were not seen. */
async function bringIntoSight<T extends KubeObject>(
  { plan, tools }: ClusterContext,
  type: ResourceType<T>,
  { metadata: { namespace, name, labels, ownerReferences = [] } }: T,
): Promise<void> {
  // A volume says by a label alone whose it is; without it nobody knows.
  if (ownerReferences.length === 0) return;
  const found = await tools.client.get(type, { namespace, name });
  const has = found?.metadata.labels ?? {};
  const isSeen = Object.entries(clusterLabels(plan.name)).every(([key, value]) => has[key] === value);
  const isOurs = found?.metadata.ownerReferences?.some(({ uid }) => uid === plan.uid);
  if (!found || isSeen) return;
  if (!isOurs) throw new Error(`${type.kind} ${name} is not of this cluster; remove it`);
  await tools.client.patchMerge(type, { namespace, name }, { metadata: { labels } });
}

async function ensureSecrets(context: ClusterContext): Promise<void> {
  const { plan, tools } = context;
  for (const account of SYSTEM_ACCOUNTS) {
    await createOnce(context, RESOURCES.secrets, buildAccountSecret(plan, account, tools.newPassword()));
  }
  await createOnce(context, RESOURCES.secrets, buildAppSecret(plan, tools.newPassword()));
}

async function ensureParams(context: ClusterContext): Promise<void> {
  const { plan, tools, children } = context;
  await createOnce(context, RESOURCES.configMaps, buildUserParams(plan, tools.now()));
  const isThere = children.configMaps.some(map => map.metadata.name === runningParams(plan.name));
  if (!isThere) await createOnce(context, RESOURCES.configMaps, buildRunningParams(plan, tools.now()));
}

async function ensureInstanceObjects(context: ClusterContext, instance: ClusterInstance): Promise<void> {
  const claim = buildDataClaim(context.plan, instance);
  if (claim) await createOnce(context, RESOURCES.persistentVolumeClaims, claim);
  await ensureCertificate(context, instance);
}

async function ensureCertificate(context: ClusterContext, instance: ClusterInstance): Promise<void> {
  const { plan, children, tools } = context;
  const name = instanceTlsSecret(plan.name, instance.id);
  const current = children.secrets.find(secret => secret.metadata.name === name);
  const data = await tools.issuer.secretData({
    current,
    subject: { part: 'agent', name: instance.podName },
    names: [...certificateNames(plan, instance), ...hostAddresses(context, instance)],
  });
  if (!data) return;
  const metadata = instanceMeta(plan, name, instance);
  const secret: Secret = { apiVersion: 'v1', kind: 'Secret', metadata, type: TLS_SECRET_TYPE, data };
  await tools.client.apply(RESOURCES.secrets, secret);
}

/** Every name under which clients, members and we ourselves dial this instance. */
function certificateNames(plan: ClusterPlan, instance: ClusterInstance): string[] {
  const services = [rwService(plan.name), roService(plan.name)].flatMap(name => [
    name,
    ...dnsNames(name, plan.namespace),
  ]);
  return [instance.podName, ...services];
}

/** On the host network clients dial addresses of the host: that of the cluster's network, and that of their own. */
function hostAddresses({ cluster, plan, children, hosts, tools }: ClusterContext, instance: ClusterInstance): string[] {
  if (!plan.hostNetwork) return [];
  const { spec, status } = podOf(children, instance) ?? {};
  const before = cluster.status.dbInstanceStatus?.[instance.id];
  const found = [status?.hostIP, clientAddress(hosts.of(spec?.nodeName ?? ''), tools.now(), before)];
  return [...new Set(found.filter(address => address !== undefined))];
}

function childrenOf(children: Children, type: ResourceType): readonly KubeObject[] {
  const lists: Record<string, readonly KubeObject[]> = {
    pods: children.pods,
    services: children.services,
    endpointslices: children.endpointSlices,
    secrets: children.secrets,
    configmaps: children.configMaps,
    persistentvolumeclaims: children.claims,
    poddisruptionbudgets: children.budgets,
    serviceaccounts: children.serviceAccounts,
    roles: children.roles,
    rolebindings: children.roleBindings,
    leases: children.leases,
  };
  const found = lists[type.plural];
  if (!found) throw new Error(`${type.plural} are not watched`);
  return found;
}
