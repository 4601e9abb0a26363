import { InvalidArgumentError, Option, type Command } from 'commander';
import { isAbsolute, resolve } from 'node:path';
import { FORMER_FLAGS } from './daemon/former-flags.ts';
import { LOG_LEVELS } from './observe/log.ts';
import type { DaemonOptions } from './run-daemon.ts';

/** Flags of the part `daemon`: those of the original with its names and defaults, then our own. */
export function daemonCommand(command: Command, wholeNumber: (text: string) => number): void {
  command
    .description('find out what only the host knows, publish it, and keep its logs small')
    .option('--current-node-name <name>', 'name of this host; default: $CURRENT_NODE_NAME')
    .option('--kubeconfig <path>', 'default: the service account of the pod')
    .option('--master <url>', 'address of the API server; default: as the credentials say')
    .option('--dbcluster-log-dir <path>', 'folders of instances', folder, '/flash/polardb_dbcluster')
    .option('--ins-folder-overdue-days <days>', 'what nothing needs goes after so many days', wholeNumber, 3)
    .option('--port <port>', 'port of the HTTPS API', wholeNumber, 8900)
    .option('--polarstack-daemon-pod-labels <labels>', 'which pods are daemons', 'app=polarstack-daemon')
    .option(
      '--core-version-cm-labels <labels>',
      'which ConfigMaps are version maps',
      'configtype=minor_version_info,dbClusterMode=WriteReadMore',
    )
    .option('--mpd-controller-cm-name <name>', 'ConfigMap with the port ranges', 'polardb4mpd-controller')
    .option('--settings-namespace <namespace>', 'where the settings ConfigMaps stand', 'kube-system')
    .option('--host-root <path>', "where the host's /proc and /sys are mounted", folder, '/host')
    .option('--cri-socket <path>', 'socket of the container runtime', '/run/containerd/containerd.sock')
    .option('--ssh-files <path>', 'folder with ssh-privatekey and known_hosts', folder, '/etc/polardb-stack/ssh')
    .option('--tls-files <path>', 'folder with tls.crt, tls.key and ca.crt', folder, '/etc/polardb-stack/tls')
    .option('--health-port <port>', 'port of /healthz and /readyz', wholeNumber, 8901)
    .option('--metrics-port <port>', 'port of /metrics', wholeNumber, 8902)
    .addOption(new Option('--log-level <level>').choices(LOG_LEVELS).default('info'))
    .action(async (options: DaemonOptions) => (await import('./run-daemon.ts')).runDaemon(options));
  for (const flag of FORMER_FLAGS.keys()) command.addOption(new Option(`--${flag} [value]`).hideHelp());
}

/** Without a slash at its end: in the original the clean-up took every folder for orphaned without it. */
function folder(text: string): string {
  const path = resolve(text);
  if (!isAbsolute(text) || path === '/') throw new InvalidArgumentError('must be an absolute path of a folder');
  return path;
}
