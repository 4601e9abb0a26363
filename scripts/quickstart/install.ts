import { join } from 'node:path';
import { closingText, connectionLines, type Access } from './connect.ts';
import type { Part, Place } from './diagnosis.ts';
import { missingOfCluster, missingOfDeployment } from './judge.ts';
import type { Kubectl } from './kubectl.ts';
import type { Cluster, Deployment, Pod, Secret, Service } from './objects.ts';
import type { Progress } from './progress.ts';
import { isCommand, type ImageNames, type Target } from './target.ts';
import { run } from '../kubernetes/run.ts';
import { waitUntil } from './wait.ts';

export const PLACE: Place = {
  systemNamespace: 'polardb-system',
  namespace: 'default',
  cluster: 'quickstart',
};

/** Merges by the types that kubectl knows by itself; reading those of the server costs it seconds and changes nothing here. */
const QUICK = '--openapi-patch=false';

/** A changed installation shows itself within seconds; an image that is pulled may take minutes. */
const PATIENCE = { sameSeconds: 120, seconds: 600 };

/** Parts of the stack that everything waits for, and their Deployments. */
export const PARTS = [
  { part: 'operator', deployment: 'polardb-stack-operator' },
  { part: 'cluster manager', deployment: 'polardb-stack-cluster-manager' },
] as const satisfies readonly Part[];

/** Installs the stack and waits for its parts. */
export async function installStack({ kubectl, yaml, images }: Target, progress: Progress): Promise<void> {
  await progress.step('synthesize', () => writeYaml(yaml, images));
  await applyStep(progress, kubectl, { what: 'the stack', path: yaml });
  const available = PARTS.map(({ part, deployment }) =>
    progress.step(`${part} Available`, tell =>
      waitUntil(async () => missingOfDeployment(await deploymentOf(kubectl, deployment)), tell, PATIENCE),
    ),
  );
  await Promise.all(available);
}

/** Installs the stack and the sample cluster, waits for both, and returns what to tell the person. */
export async function install(target: Target, progress: Progress): Promise<string> {
  const { kubectl, yaml } = target;
  await installStack(target, progress);
  await applyStep(progress, kubectl, { what: 'the sample cluster', path: join(yaml, 'clusters', 'quickstart.yaml') });
  await progress.step('sample cluster Ready', tell =>
    waitUntil(async () => missingOfCluster(await clusterOf(kubectl)), tell, PATIENCE),
  );
  return await progress.step('connect and select', () => proveAndTell(target));
}

/** Writes the installation with these images to a directory, for kubectl and for a person to look at. */
export async function writeYaml(directory: string, { stack, postgresql }: ImageNames): Promise<void> {
  // Loaded when it is needed: cdk8s takes a second.
  const { synth } = await import('../../manifests/synth.ts');
  // A trial looks after no hosts, and needs no root on the machine that it is made on.
  const versions = { 'postgresql-15': { engineImage: postgresql } };
  synth(directory, { image: stack, versions, daemon: { enabled: false } });
}

async function applyStep(
  progress: Progress,
  kubectl: Kubectl,
  { what, path }: { what: string; path: string },
): Promise<void> {
  const changed = await progress.step(`apply ${what}`, () => kubectl.apply(path, QUICK));
  // kubectl says "<kind>/<name> created" and the like.
  if (changed.length > 0) progress.note(changed.length > 3 ? `${changed.length} objects changed` : changed.join(', '));
}

const deploymentOf = (kubectl: Kubectl, name: string): Promise<Deployment | undefined> =>
  kubectl.get<Deployment>('deployment', name, '--namespace', PLACE.systemNamespace);

const clusterOf = (kubectl: Kubectl): Promise<Cluster | undefined> =>
  kubectl.get<Cluster>('mpdcluster', PLACE.cluster, '--namespace', PLACE.namespace);

/** Nobody is told a line that was not tried. */
async function proveAndTell(target: Target): Promise<string> {
  const { access, followers } = await accessOf(target);
  const hasPsql = await isCommand('psql', '--version');
  const { rw, ro, exec } = connectionLines(access, { interactive: false });
  const lines = hasPsql && ro ? [rw, ...(followers > 0 ? [ro] : [])] : [exec];
  for (const line of lines) {
    const answer = await run('sh', ['-c', `${line} -XAtc 'select 6 * 7'`]);
    if (answer.trim() !== '42') throw new Error(`this line answered "${answer.trim()}" to select 6 * 7: ${line}`);
  }
  return closingText(access, { followers, down: target.down, hasPsql });
}

async function accessOf({ kubectl, reachesServices }: Target): Promise<{ access: Access; followers: number }> {
  const { namespace, cluster } = PLACE;
  const at = ['--namespace', namespace];
  const selector = `mpd.polardb.aliyun.com/cluster=${cluster},apsara.metric.db_ins_type=polardb_mpd_rw`;
  const [rw, ro, secret, pods, object] = await Promise.all([
    kubectl.get<Service>('service', `${cluster}-rw`, ...at),
    kubectl.get<Service>('service', `${cluster}-ro`, ...at),
    kubectl.get<Secret>('secret', `${cluster}-app`, ...at),
    kubectl.list<Pod>('pods', ...at, '--selector', selector),
    clusterOf(kubectl),
  ]);
  const [pod] = pods;
  if (!rw || !ro || !secret || !pod || !object)
    throw new Error(`cluster ${namespace}/${cluster} lacks Services, Secret or pods`);
  const read = (key: string): string => Buffer.from(secret.data[key] ?? '', 'base64').toString();
  const services = { rw: rw.spec.clusterIP, ro: ro.spec.clusterIP, port: rw.spec.ports[0]?.port ?? 5432 };
  const access: Access = {
    kubectl: kubectl.words,
    namespace,
    cluster,
    user: read('username'),
    database: read('dbname'),
    rwPod: pod.metadata.name,
    ...(reachesServices && { services }),
  };
  return { access, followers: object.spec.followerNum };
}
