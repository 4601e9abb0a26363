import { request } from 'node:https';
import { addressesOf } from './addresses.ts';
import type { ClusterSettings } from './control-plane.ts';
import { pathsOf } from './paths.ts';
import { readCredentials } from './pki.ts';
import { run } from './run.ts';

/** Reads one path of the API server as administrator; fails unless the answer is 200. */
export async function get({ name, index }: ClusterSettings, path: string): Promise<string> {
  const { ca, certificate, key } = await readCredentials(pathsOf(name).pki, 'admin');
  const host = addressesOf(index).controlPlane;
  return await new Promise<string>((resolve, reject) => {
    const call = request(
      { host, port: 6443, path, ca, cert: certificate, key, agent: false, timeout: 5000 },
      response => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const body = Buffer.concat(chunks).toString();
          if (response.statusCode === 200) resolve(body);
          else reject(new Error(`${path}: ${response.statusCode ?? ''} ${body.slice(0, 500)}`));
        });
      },
    );
    call.on('timeout', () => call.destroy(new Error(`${path}: no answer`)));
    call.on('error', reject);
    call.end();
  });
}

interface NodeObject {
  metadata: { name: string };
  status: { conditions?: { type: string; status: string }[] };
}

/** Names of the nodes that are Ready. */
export async function readyNodes(settings: ClusterSettings): Promise<string[]> {
  const { items } = JSON.parse(await get(settings, '/api/v1/nodes')) as { items: NodeObject[] };
  const isReady = (node: NodeObject): boolean =>
    node.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
  return items.filter(isReady).map(node => node.metadata.name);
}

/** Runs kubectl of the cluster's own version as administrator and returns its output. */
export async function kubectl(name: string, args: string[], input?: string): Promise<string> {
  const { kubeconfig: KUBECONFIG, kubectl: program } = pathsOf(name);
  const env = { KUBECONFIG };
  return await run(program, args, input === undefined ? { env } : { env, input });
}

/** Creates or changes objects. */
export async function applyObjects(name: string, objects: readonly object[]): Promise<void> {
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
  await kubectl(name, ['apply', '--server-side', '--field-manager=local-kubernetes', '-f', '-'], list);
}
