import { Command } from 'commander';
import { spawnSync } from 'node:child_process';
import { down, find, isUp, up, type LocalCluster } from './cluster.ts';
import { printSteps } from './progress.ts';

const defaultName = 'quickstart';

async function existing(name: string): Promise<LocalCluster> {
  const cluster = await find(name);
  if (cluster) return cluster;
  throw new Error(`there is no local cluster ${name}; make it with: up --name ${name}`);
}

/** Runs kubectl on this terminal. */
function runKubectl(cluster: LocalCluster, args: string[]): void {
  const env = { ...process.env, KUBECONFIG: cluster.kubeconfig };
  process.exitCode = spawnSync(cluster.kubectl, args, { stdio: 'inherit', env }).status ?? 1;
}

interface Named {
  name: string;
}

const program = new Command('kubernetes').description('A real Kubernetes on this machine').enablePositionalOptions();
const command = (usage: string, description: string): Command =>
  program.command(usage).description(description).option('--name <name>', 'name of the cluster', defaultName);

command('up', 'bring a cluster up; one that is up is left alone')
  .option('--nodes <n>', 'number of nodes; 0: a control plane alone', '3')
  .option('--default-node-loss', "notice lost nodes as slowly as Kubernetes' defaults")
  .action(async ({ name, nodes, defaultNodeLoss }: Named & { nodes: string; defaultNodeLoss?: true }) => {
    const cluster = await up({ name, nodes: Number(nodes), fastNodeLoss: !defaultNodeLoss, report: printSteps });
    console.log(`KUBECONFIG=${cluster.kubeconfig}`);
  });

command('down', 'remove every trace of a cluster').action(({ name }: Named) => down(name));

command('node <action> <node>', 'lose or restore a node: cut or mend its network link').action(
  async (action: string, node: string, { name }: Named) => {
    const cluster = await existing(name);
    if (action === 'lose') await cluster.loseNode(node);
    else if (action === 'restore') await cluster.restoreNode(node);
    else throw new Error(`a node can be lost and restored, not "${action}"`);
  },
);

command('load <archive>', 'load a docker-archive into all nodes').action(async (archive: string, { name }: Named) =>
  (await existing(name)).load(archive),
);

command('kubectl [arguments...]', 'run the kubectl that fits the cluster')
  .passThroughOptions()
  .allowUnknownOption()
  .helpOption(false)
  .action(async (args: string[], { name }: Named) => runKubectl(await existing(name), args));

command('kubeconfig', "print the path of the cluster's kubeconfig").action(async ({ name }: Named) => {
  const cluster = await find(name);
  if (!cluster || !(await isUp(name))) throw new Error(`the local cluster ${name} is not up`);
  console.log(cluster.kubeconfig);
});

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
