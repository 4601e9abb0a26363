import { Command, InvalidArgumentError, Option } from 'commander';
import { daemonCommand } from './daemon-command.ts';
import { LOG_LEVELS } from './observe/log.ts';
import { PROGRAM_VERSION } from './model/version.ts';
import type { ClusterManagerOptions } from './run-cluster-manager.ts';
import type { OperatorOptions } from './run-operator.ts';

/** `polardb-stack <part>`: one image, one program, one part for each process, which loads that part and no other. */
const program = new Command('polardb-stack').description('PolarDB Stack for Kubernetes').showHelpAfterError();
program.version(PROGRAM_VERSION, '--version');

program
  .command('operator')
  .description('create, keep and retire database clusters')
  .requiredOption('--image <image>', 'image of this program, for the engine pods')
  .addOption(
    new Option('--image-pull-policy <policy>', 'how engine pods get their images')
      .choices(['Always', 'IfNotPresent', 'Never'])
      .default('IfNotPresent'),
  )
  .option('--settings-namespace <namespace>', 'where the settings ConfigMaps stand', 'kube-system')
  .option('--watch-namespaces <names>', 'namespaces with clusters, separated by commas; default: all', listOf)
  .option('--filter-operator-name <name>', 'which spec.operatorName this operator answers for', 'polar-mpd')
  .option('--workers <number>', 'clusters worked on at the same time', wholeNumber, 8)
  .option('--health-port <port>', 'port of /healthz and /readyz', wholeNumber, 8081)
  .option('--metrics-port <port>', 'port of /metrics', wholeNumber, 8080)
  .addOption(new Option('--log-level <level>').choices(LOG_LEVELS).default('info'))
  .action(async (options: OperatorOptions) => (await import('./run-operator.ts')).runOperator(options));

program
  .command('cluster-manager')
  .description('decide who is RW of each database cluster, and make it so')
  .option('--watch-namespaces <names>', 'namespaces with clusters, separated by commas; default: all', listOf)
  .option('--filter-operator-name <name>', 'which spec.operatorName this part answers for', 'polar-mpd')
  .option('--health-port <port>', 'port of /healthz and /readyz', wholeNumber, 8081)
  .option('--metrics-port <port>', 'port of /metrics', wholeNumber, 8080)
  .option('--api-port <port>', 'port of the HTTPS API', wholeNumber, 8443)
  .addOption(new Option('--log-level <level>').choices(LOG_LEVELS).default('info'))
  .action(async (options: ClusterManagerOptions) => {
    await (await import('./run-cluster-manager.ts')).runClusterManager(options);
  });

daemonCommand(program.command('daemon'), wholeNumber);

await program.parseAsync();

function listOf(text: string): string[] {
  return text.split(',').filter(name => name !== '');
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('must be a whole number above 0');
  return value;
}
