import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { KINDS } from '../../crds/definitions.ts';
import type { KubeClient } from '../../operator/kube/client.ts';
import { MPD_CLUSTERS } from '../../operator/kinds/mpd.ts';
import type { ControlPlane } from './control-plane.ts';
import { eventually } from './eventually.ts';

const run = promisify(execFile);

/** Our kinds, as a user installs them; resolves when they are served. */
export async function installKinds({ kubectl, kubeconfig }: ControlPlane, client: KubeClient): Promise<void> {
  const applied = run(kubectl, ['apply', '-f', '-'], { env: { ...process.env, KUBECONFIG: kubeconfig } });
  applied.child.stdin?.end(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: KINDS }));
  await applied;
  await eventually('the kinds are served', async () =>
    Boolean(await client.list(MPD_CLUSTERS, { namespace: 'default' })),
  );
}
