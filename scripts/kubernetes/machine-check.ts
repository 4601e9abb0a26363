import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { parseHierarchies, type Hierarchy } from './cgroups.ts';
import { locked } from './lock.ts';
import { step, type Report } from './progress.ts';
import { run } from './run.ts';

/** A program that is needed, and the Debian package that brings it. */
export interface Tool {
  file: string;
  package: string;
}

export const clusterTools: readonly Tool[] = [
  { file: '/usr/bin/containerd', package: 'containerd' },
  { file: '/usr/sbin/runc', package: 'runc' },
  { file: '/usr/lib/cni/ptp', package: 'containernetworking-plugins' },
  { file: '/usr/sbin/nft', package: 'nftables' },
  { file: '/usr/sbin/ip', package: 'iproute2' },
];

const watches = 1024;

/** Fails with a list of all that this machine lacks for a local cluster, before anything is started. */
export async function checkMachine(needsGo: boolean): Promise<void> {
  const findings = [...(await basics()), ...(needsGo ? await go() : [])];
  if (findings.length > 0) throw new Error(`this machine cannot run a local Kubernetes:\n${bullets(findings)}`);
}

/** Checks by trying what packages and kernel must be able to do; run after `installTools`. */
export async function checkKernel(): Promise<void> {
  const attempts: [what: string, script: string][] = [
    ['namespaces (unshare)', 'true'],
    ['network links (bridge, veth)', 'ip link add probe0 type bridge && ip link add probe1 type veth peer name probe2'],
    ['nftables', 'nft add table ip t'],
    [
      'overlay file systems',
      'd=$(mktemp -d) && mount -t tmpfs tmpfs $d && mkdir $d/u $d/w $d/m && mount -t overlay -o lowerdir=/,upperdir=$d/u,workdir=$d/w overlay $d/m; s=$?; umount -l $d; rmdir $d; exit $s',
    ],
  ];
  const findings = await Promise.all(
    attempts.map(([what, script]) =>
      run('unshare', ['--mount', '--net', '--uts', '--pid', '--fork', 'sh', '-c', script]).then(
        () => [],
        (error: unknown) => [`${what}: ${error instanceof Error ? error.message : String(error)}`],
      ),
    ),
  );
  if (findings.flat().length > 0) throw new Error(`the kernel of this machine lacks:\n${bullets(findings.flat())}`);
}

/**
 * Each node watches some 15 sets of files; Linux allows a user 128, so the third cluster would fail
 * in odd ways. Where the limit cannot be raised, two clusters still run.
 */
export async function raiseWatchLimit(): Promise<void> {
  const file = '/proc/sys/fs/inotify/max_user_instances';
  if (Number(await readFile(file, 'utf8')) < watches) await writeFile(file, String(watches)).catch(() => undefined);
}

/** Installs the Debian packages of the tools that are missing. */
export async function installTools(tools: readonly Tool[], report: Report): Promise<void> {
  if (missingPackages(tools).length === 0) return;
  await locked('packages', async () => {
    const packages = missingPackages(tools);
    if (packages.length === 0) return;
    if (!existsSync('/usr/bin/apt-get')) {
      throw new Error(`missing and not installable without apt-get: ${packages.join(', ')}`);
    }
    await step(report, `install ${packages.join(' ')}`, async () => {
      const apt = ['-q', '-y', '-o', 'DPkg::Lock::Timeout=300'];
      await run('apt-get', [...apt, 'update']);
      await run('apt-get', [...apt, 'install', '--no-install-recommends', ...packages], {
        env: { DEBIAN_FRONTEND: 'noninteractive' },
      });
    });
  });
}

const missingPackages = (tools: readonly Tool[]): string[] => [
  ...new Set(tools.filter(({ file }) => !existsSync(file)).map(tool => tool.package)),
];

/** Whether processes here may be protected from the OOM killer (capability 24, CAP_SYS_RESOURCE). */
export function mayLowerOomScore(status: string): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
  return ((BigInt(`0x${effective}`) >> 24n) & 1n) === 1n;
}

/** Names what the cgroups of a machine lack for a kubelet. */
export function cgroupFindings(trees: readonly Hierarchy[], controllersOf2: string): string[] {
  const needed = ['cpu', 'cpuset', 'memory', 'pids'];
  const ones = trees.filter(tree => tree.version === 1).flatMap(tree => tree.path.split('/').at(-1)!.split(','));
  const present = [...ones, ...controllersOf2.trim().split(' ')];
  const missing = needed.filter(name => !present.includes(name));
  return missing.length > 0 ? [`no cgroup controllers ${missing.join(', ')} (see /sys/fs/cgroup)`] : [];
}

async function basics(): Promise<string[]> {
  if (process.platform !== 'linux') return [`it is ${process.platform}, not Linux`];
  const trees = parseHierarchies(await readFile('/proc/self/mounts', 'utf8'));
  const two = trees.find(tree => tree.version === 2);
  const controllers = two ? await readFile(`${two.path}/cgroup.controllers`, 'utf8') : '';
  return [
    ...(process.getuid?.() === 0 ? [] : ['root is needed (namespaces, network, mounts)']),
    ...(['x64', 'arm64'].includes(process.arch) ? [] : [`the processor is ${process.arch}, not x64 or arm64`]),
    ...cgroupFindings(trees, controllers),
    ...['/usr/bin/unshare', '/usr/bin/nsenter']
      .filter(file => !existsSync(file))
      .map(file => `${file} (util-linux) is missing`),
  ];
}

async function go(): Promise<string[]> {
  const version = await run('go', ['version']).catch(() => '');
  const wanted = 'Go 1.21 or newer, which builds Kubernetes';
  if (version === '') return [`the command \`go\` is missing: ${wanted}`];
  return Number(/go1\.(\d+)/.exec(version)?.[1] ?? 0) >= 21 ? [] : [`${version.trim()} is too old: ${wanted}`];
}

const bullets = (lines: readonly string[]): string => lines.map(line => `  - ${line}`).join('\n');
