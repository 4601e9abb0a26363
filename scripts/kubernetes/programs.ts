import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { dropUnfinished, keepNewest } from './cache.ts';
import { locked } from './lock.ts';
import { cacheRoot, projectRoot } from './paths.ts';
import { step, type Report } from './progress.ts';
import { run } from './run.ts';
import { clusterNames, readState } from './state.ts';

const source = join(projectRoot, 'e2e/kubernetes');
const cache = join(cacheRoot, 'kubernetes');
/** Builds that are kept, for going back and forth between two states of the source: 150 MB and five minutes each. */
const keptBuilds = 2;

/** Names under which the one program is started. */
const names = [
  'coredns',
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-proxy',
  'kube-scheduler',
  'kubectl',
  'kubelet',
] as const;

/** Returns the directory with all programs of a cluster; builds them (about five minutes on two cores) when their source is new. */
export async function ensurePrograms(report: Report): Promise<string> {
  const text = await readSources(source);
  const directory = join(cache, createHash('sha256').update(text).digest('hex').slice(0, 16));
  if (existsSync(directory)) return directory;
  return await locked('build', async () => {
    if (!existsSync(directory)) {
      const version = kubernetesVersion(await readFile(join(source, 'go.mod'), 'utf8'));
      await step(report, `build Kubernetes ${version} (minutes, once)`, () => build(version, directory));
      await dropOldBuilds();
    }
    return directory;
  });
}

/** A cluster runs on the programs it was made with until it is taken down. */
async function dropOldBuilds(): Promise<void> {
  await dropUnfinished(cache, /^build-/);
  const states = await Promise.all((await clusterNames()).map(name => readState(name)));
  const used = new Set(states.flatMap(state => state?.programs ?? []));
  await keepNewest(cache, /^[0-9a-f]{16}$/, keptBuilds, used);
}

/** Whether nothing must be built. */
export async function programsAreBuilt(): Promise<boolean> {
  const text = await readSources(source);
  return existsSync(join(cache, createHash('sha256').update(text).digest('hex').slice(0, 16)));
}

/** The version of Kubernetes that a go.mod asks for, like v1.34.4. */
export function kubernetesVersion(goMod: string): string {
  const version = /^\s*k8s\.io\/kubernetes (v\d+\.\d+\.\d+)\s*$/m.exec(goMod)?.[1];
  if (version === undefined) throw new Error('go.mod names no version of k8s.io/kubernetes');
  return version;
}

async function build(version: string, directory: string): Promise<void> {
  await mkdir(cache, { recursive: true });
  const [, major, minor] = /^v(\d+)\.(\d+)/.exec(version) ?? [];
  const set = (name: string, value = ''): string => `-X k8s.io/component-base/version.${name}=${value}`;
  const flags = ['-s', '-w', set('gitVersion', version), set('gitMajor', major), set('gitMinor', minor)].join(' ');
  const temporary = await mkdtemp(join(cache, 'build-'));
  try {
    const env = { CGO_ENABLED: '0', GOFLAGS: '-mod=readonly' };
    for (const [target, from] of [
      ['cluster', '.'],
      ['supervisor', './supervisor'],
      ['pause', './pause'],
    ] as const) {
      const args = ['build', '-trimpath', '-buildvcs=false', '-ldflags', flags, '-o', join(temporary, target), from];
      await run('go', args, { cwd: source, env });
    }
    for (const name of names) await symlink('cluster', join(temporary, name));
    // A directory of that name is always complete.
    await rename(temporary, directory);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** All that decides what the build makes, in an order of its own. */
async function readSources(directory: string): Promise<string> {
  const entries = (await readdir(directory, { recursive: true })).sort();
  const files = entries.filter(name => /(\.go|^go\.mod|^go\.sum)$/.test(name));
  const texts = files.map(async name => `${name}\n${await readFile(join(directory, name), 'utf8')}`);
  return [process.arch, ...(await Promise.all(texts))].join('\n');
}
