import { expect } from 'chai';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { synth } from '../../manifests/synth.ts';
import { KubeClient } from '../../operator/kube/client.ts';
import { findCredentials } from '../../operator/kube/credentials.ts';
import { RESOURCES } from '../../operator/kube/resources.ts';
import type { LocalCluster } from '../../scripts/kubernetes/cluster.ts';
import { missingOfDeployment } from '../../scripts/quickstart/judge.ts';
import { Kubectl } from '../../scripts/quickstart/kubectl.ts';
import type { Deployment } from '../../scripts/quickstart/objects.ts';
import { e2eCluster, e2eImages } from './cluster.ts';
import { engineUnderTest, imageUnderTest } from './engine.ts';
import { eventually } from './eventually.ts';

export const SYSTEM_NAMESPACE = 'polardb-system';
export const OPERATOR = 'polardb-stack-operator';
export const CLUSTER_MANAGER = 'polardb-stack-cluster-manager';
/** Label of the namespaces that tests make; its value is the process that made them. */
export const TEST_LABEL = 'e2e-process';

/** The three nodes with our stack of this source on them. */
export interface Stack {
  local: LocalCluster;
  kubectl: Kubectl;
  /** As administrator. */
  client: KubeClient;
}

let installed: Promise<Stack> | undefined;

/** Installs the stack, or what of it has changed since the last run; one installation for the whole run. */
export function stack(): Promise<Stack> {
  installed ??= install();
  return installed;
}

async function install(): Promise<Stack> {
  const local = await e2eCluster();
  const kubectl = new Kubectl(local.kubectl, ['--kubeconfig', local.kubeconfig]);
  const client = new KubeClient({
    credentials: findCredentials({ kubeconfig: local.kubeconfig }),
    fieldManager: 'e2e',
  });
  await applyInstallation(kubectl);
  await eventually('all parts are available', () => isStackReady(kubectl), { deadlineMs: 120_000 });
  await removeLeftovers(client);
  await local.recycleVolumes();
  return { local, kubectl, client };
}

/** Plain `kubectl apply` of the synthesized installation, as a user does it. @returns what it changed */
export function applyInstallation(kubectl: Kubectl): Promise<string[]> {
  return withInstallation(false, directory => kubectl.apply(directory));
}

/** Synthesizes the installation under test, with the part `daemon` or without, for as long as the work takes. */
export async function withInstallation<T>(hasDaemon: boolean, work: (directory: string) => Promise<T>): Promise<T> {
  const { stack: program, postgresql } = await e2eImages();
  const directory = await mkdtemp(join(tmpdir(), 'polardb-stack-e2e-'));
  try {
    const named = imageUnderTest();
    const images = {
      'postgresql-15': { engineImage: postgresql.name },
      ...(named !== undefined && { [VERSION[engineUnderTest()]]: { engineImage: named } }),
    };
    // Tests of hosts install it themselves: one on each node costs what the others measure.
    synth(directory, { image: program.name, versions: images, daemon: { enabled: hasDaemon } });
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

const VERSION = { postgresql: 'postgresql-15', polardb: 'image-open' } as const;

/**
 * True when all replicas of all parts are of the newest template and none of an older one is left.
 * @throws with what is missing
 */
export async function isStackReady(kubectl: Kubectl): Promise<true> {
  const all = await kubectl.list<Deployment & { metadata: { name: string } }>(
    'deployments',
    '--namespace',
    SYSTEM_NAMESPACE,
  );
  expect(all.map(({ metadata }) => metadata.name)).to.include.members([OPERATOR, CLUSTER_MANAGER]);
  for (const deployment of all) {
    const missing = missingOfDeployment(deployment);
    if (missing !== undefined) throw new Error(`${deployment.metadata.name}: ${missing}`);
  }
  return true;
}

/** Takes away what earlier runs left that did not come to their end. */
async function removeLeftovers(client: KubeClient): Promise<void> {
  const left = await client.list(RESOURCES.namespaces, { labelSelector: TEST_LABEL });
  const names = left
    .filter(({ metadata }) => !isAlive(Number(metadata.labels?.[TEST_LABEL])))
    .map(it => it.metadata.name);
  for (const name of names) await client.delete(RESOURCES.namespaces, { name });
  for (const name of names) {
    await eventually(`namespace ${name} of an earlier run is gone`, () => isGone(client, name), {
      deadlineMs: 120_000,
    });
  }
}

const isGone = async (client: KubeClient, name: string): Promise<true | undefined> =>
  (await client.get(RESOURCES.namespaces, { name })) ? undefined : true;

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
