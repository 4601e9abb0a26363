import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { addressesOf } from './addresses.ts';
import { addons } from './addons.ts';
import { applyObjects, get, readyNodes } from './api.ts';
import {
  controlPlane,
  controlPlaneCertificates,
  controlPlaneFiles,
  controlPlanePlan,
  type ClusterSettings,
} from './control-plane.ts';
import { renderKubeconfig } from './kubeconfig.ts';
import { loadArchive, pauseImage } from './load.ts';
import { mayLowerOomScore } from './machine-check.ts';
import { openGate, runningMachines, startMachine, type Machine } from './machines.ts';
import { connectHost, connectNode, routeServices } from './network.ts';
import { nodeCertificate, nodeDisks, nodeFiles, nodeName, nodePlan } from './node.ts';
import { machineDirectory, pathsOf } from './paths.ts';
import { ensurePki, readCredentials } from './pki.ts';
import { step, type Report } from './progress.ts';
import { until } from './run.ts';
import type { ClusterState } from './state.ts';
import { makeVolumeDirectories, recycle } from './volumes.ts';

const readySeconds = 120;

/** Makes or starts what is missing of a cluster, and returns when the API server answers and all nodes are Ready. */
export async function start(state: ClusterState, report: Report): Promise<void> {
  const control = await step(report, `control plane of ${state.name}`, () => startControlPlane(state));
  if (state.nodes === 0) return;
  await step(report, `${state.nodes} nodes Ready`, async () => {
    await Promise.all([startNodes(state, control), settle(state)]);
    await routeServices(state, control);
    await waitForNodes(state);
  });
}

async function startControlPlane(state: ClusterState): Promise<Machine> {
  const { name, programs } = state;
  const { directory, pki, kubeconfig } = pathsOf(name);
  const numbers = nodeNumbers(state);
  await ensurePki(pki, [...controlPlaneCertificates(state), ...numbers.map(n => nodeCertificate(state, n))]);
  const own = machineDirectory(name, controlPlane);
  await writeFiles(own, controlPlaneFiles(state));
  for (const client of ['kube-controller-manager', 'kube-scheduler', 'coredns']) {
    await writeKubeconfig(state, client, join(own, `${client}.kubeconfig`));
  }
  await writeKubeconfig(state, 'admin', kubeconfig);
  await writeKubectl(state);
  const plan = controlPlanePlan(state, programs);
  const control = await ensureMachine(name, controlPlane, () =>
    startMachine(name, controlPlane, join(programs, 'supervisor'), plan),
  );
  await connectHost(state, control);
  await openGate(name, controlPlane);
  await until(`API server of ${name} (see ${directory}/${controlPlane}/log)`, readySeconds, () =>
    get(state, '/readyz'),
  );
  return control;
}

/**
 * kubectl remembers the kinds of an API server by its address for hours, and another cluster may have had this address
 * before: each cluster gets a memory of its own, which goes with it.
 */
async function writeKubectl({ name, programs }: ClusterState): Promise<void> {
  const { directory, kubectl } = pathsOf(name);
  const script = `#!/bin/sh\nKUBECACHEDIR='${directory}/kubectl-cache' exec '${programs}/kubectl' "$@"\n`;
  await mkdir(dirname(kubectl), { recursive: true });
  await writeFile(kubectl, script, { mode: 0o755 });
}

/** Objects of the cluster itself. */
async function settle(state: ClusterState): Promise<void> {
  await makeVolumeDirectories(state);
  await applyObjects(state.name, addons(state));
  await recycle(state);
}

async function startNodes(state: ClusterState, control: Machine): Promise<void> {
  const pause = await pauseImage(state.programs);
  const facts = {
    programs: state.programs,
    pauseImage: pause.name,
    mayLowerOomScore: mayLowerOomScore(await readFile('/proc/self/status', 'utf8')),
  };
  const archive = join(pathsOf(state.name).directory, 'pause.tar');
  await writeFile(archive, pause.archive);
  const nodes = await Promise.all(
    nodeNumbers(state).map(async n => {
      const node = await ensureMachine(state.name, nodeName(n), () => startNode(state, n, facts));
      await connectNode(state, control, node, n);
      await openGate(state.name, node.name);
      return node;
    }),
  );
  await loadArchive(state.name, nodes, archive);
}

async function startNode(state: ClusterState, n: number, facts: Parameters<typeof nodeFiles>[2]): Promise<Machine> {
  const node = nodeName(n);
  const directory = machineDirectory(state.name, node);
  const { shared, pki } = pathsOf(state.name);
  await Promise.all(
    [shared, ...nodeDisks.map(disk => join(directory, disk))].map(path => mkdir(path, { recursive: true })),
  );
  // Pods of any user write there, as on a shared file system that each of them mounts.
  await chmod(shared, 0o777);
  const { ca, certificate, key } = await readCredentials(pki, node);
  await writeFiles(directory, {
    ...nodeFiles(state, n, facts),
    'kubernetes/ca.crt': ca,
    'kubernetes/kubelet.crt': certificate,
    'kubernetes/kubelet.key': key,
  });
  await writeKubeconfig(state, node, join(directory, 'kubernetes/kubelet.kubeconfig'));
  await writeKubeconfig(state, 'kube-proxy', join(directory, 'kubernetes/kube-proxy.kubeconfig'));
  return await startMachine(state.name, node, join(state.programs, 'supervisor'), nodePlan(state, n, facts));
}

async function waitForNodes(state: ClusterState): Promise<void> {
  const { directory } = pathsOf(state.name);
  await until(`nodes of ${state.name} (see ${directory}/node-*/log)`, readySeconds, async () => {
    const ready = await readyNodes(state);
    const missing = nodeNumbers(state)
      .map(nodeName)
      .filter(name => !ready.includes(name));
    if (missing.length > 0) throw new Error(`not Ready: ${missing.join(', ')}`);
    return true;
  });
  const account = '/api/v1/namespaces/default/serviceaccounts/default';
  await until(`service accounts of ${state.name}`, readySeconds, () => get(state, account));
  const dns = `http://${addressesOf(state.index).controlPlane}:8181/ready`;
  await until(`DNS of ${state.name}`, readySeconds, async () => ((await fetch(dns)).ok ? true : undefined));
}

async function ensureMachine(cluster: string, name: string, make: () => Promise<Machine>): Promise<Machine> {
  const running = (await runningMachines(cluster)).find(machine => machine.name === name);
  return running ?? (await make());
}

const nodeNumbers = ({ nodes }: ClusterSettings): number[] => Array.from({ length: nodes }, (_, i) => i + 1);

async function writeKubeconfig(state: ClusterState, user: string, path: string): Promise<void> {
  const server = `https://${addressesOf(state.index).controlPlane}:6443`;
  const text = renderKubeconfig(state.name, server, await readCredentials(pathsOf(state.name).pki, user));
  await writeFile(path, text, { mode: 0o600 });
}

async function writeFiles(directory: string, files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text, { mode: 0o600 });
  }
}
