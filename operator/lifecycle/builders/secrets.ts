import type { Secret } from '../../kube/resources.ts';
import { accountSecret, appSecret, rwHost } from '../../model/names.ts';
import type { ClusterPlan } from '../plan.ts';
import { childMeta } from '../../kinds/child.ts';
import { servicePort } from '../../model/ports.ts';

/** Accounts of the system with the original's privilege levels (facts: accounts). */
export const SYSTEM_ACCOUNTS = [
  { name: 'aurora', level: 7 },
  { name: 'replicator', level: 15 },
] as const;

/** The original's form: keys `Account`, `Password`, `Priviledge_type` (sic), label `mpdcluster_name`. */
export function buildAccountSecret(
  plan: ClusterPlan,
  account: (typeof SYSTEM_ACCOUNTS)[number],
  password: string,
): Secret {
  const metadata = childMeta(plan, accountSecret(plan.name, plan.logicId, account.name));
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { ...metadata, labels: { ...metadata.labels, mpdcluster_name: plan.name } },
    type: 'Opaque',
    data: encode({ Account: account.name, Password: password, Priviledge_type: String(account.level) }),
  };
}

/** What an application needs to connect, in the keys that frameworks and other operators use. */
export function buildAppSecret(plan: ClusterPlan, password: string): Secret {
  const { database, owner } = plan.application;
  const host = rwHost(plan);
  const port = servicePort(plan.instances);
  const uri = new URL(`postgresql://${host}:${port}/${encodeURIComponent(database)}?sslmode=require`);
  uri.username = owner;
  uri.password = password;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: childMeta(plan, appSecret(plan.name)),
    type: 'kubernetes.io/basic-auth',
    data: encode({ username: owner, password, dbname: database, host, port: String(port), uri: uri.toString() }),
  };
}

function encode(data: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
}
