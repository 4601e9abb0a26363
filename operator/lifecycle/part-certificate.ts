import { applyIfChanged } from '../kube/apply.ts';
import type { KubeClient } from '../kube/client.ts';
import { RESOURCES, type Secret } from '../kube/resources.ts';
import { LABEL, MANAGED_BY } from '../model/labels.ts';
import { TLS_SECRET_TYPE } from '../pki/secret.ts';
import type { Subject } from '../pki/subject.ts';
import type { Issuer } from './context.ts';

/** How often a certificate that nothing else calls to mind is looked at, ms. */
const LOOK_MS = 6 * 3_600_000;

export interface PartCertificate {
  /** Secret in the system namespace. */
  name: string;
  /** As the watch shows it. */
  current: Secret | undefined;
  subject: Subject;
  /** DNS names of the Service that leads to it. */
  names: readonly string[];
}

/**
 * The certificate of a part that must not have the key of the authority: issued before the part needs it, and renewed.
 * With the first one the authority itself is made.
 */
export async function keepPartCertificate(
  tools: { client: KubeClient; issuer: Issuer; systemNamespace: string },
  { name, current, subject, names }: PartCertificate,
): Promise<{ requeueAfterMs: number }> {
  const data = await tools.issuer.secretData({ current, subject, names });
  if (data) {
    const labels = { [LABEL.managedBy]: MANAGED_BY };
    const metadata = { namespace: tools.systemNamespace, name, labels };
    const desired: Secret = { apiVersion: 'v1', kind: 'Secret', metadata, type: TLS_SECRET_TYPE, data };
    await applyIfChanged(tools.client, { type: RESOURCES.secrets, desired, current });
  }
  return { requeueAfterMs: LOOK_MS };
}
