import { applyIfChanged } from '../kube/apply.ts';
import type { KubeClient } from '../kube/client.ts';
import { RESOURCES, type Secret } from '../kube/resources.ts';
import { DAEMON_SUBJECT, DAEMON_TLS_SECRET } from '../model/host.ts';
import { LABEL, MANAGED_BY } from '../model/labels.ts';
import { CLUSTER_MANAGER_TLS_SECRET, dnsNames } from '../model/names.ts';
import { TLS_SECRET_TYPE } from '../pki/secret.ts';
import type { Subject } from '../pki/subject.ts';
import type { Issuer } from './context.ts';

/** How often a certificate that nothing else calls to mind is looked at, ms. */
const LOOK_MS = 6 * 3_600_000;

/** Parts that must not have the key of the authority, by the Secret of the system namespace with their certificate. */
export const PART_SUBJECTS: Readonly<Record<string, Subject>> = {
  [CLUSTER_MANAGER_TLS_SECRET]: { part: 'cluster-manager', name: 'polardb-stack-cluster-manager' },
  [DAEMON_TLS_SECRET]: DAEMON_SUBJECT,
};

/**
 * The certificate of a part: issued before the part needs it, and renewed; its names are those of a Service that is called
 * as the part. With the first one the authority itself is made.
 * @throws RangeError for a Secret that is of no part
 */
export async function keepPartCertificate(
  tools: { client: KubeClient; issuer: Issuer; systemNamespace: string },
  { name, current }: { name: string; /** As the watch shows it. */ current: Secret | undefined },
): Promise<{ requeueAfterMs: number }> {
  const subject = PART_SUBJECTS[name];
  if (!subject) throw new RangeError(`${name} is the Secret of no part`);
  const names = dnsNames(subject.name, tools.systemNamespace);
  const data = await tools.issuer.secretData({ current, subject, names });
  if (data) {
    const labels = { [LABEL.managedBy]: MANAGED_BY };
    const metadata = { namespace: tools.systemNamespace, name, labels };
    const desired: Secret = { apiVersion: 'v1', kind: 'Secret', metadata, type: TLS_SECRET_TYPE, data };
    await applyIfChanged(tools.client, { type: RESOURCES.secrets, desired, current });
  }
  return { requeueAfterMs: LOOK_MS };
}
