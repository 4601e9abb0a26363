import { expect } from 'chai';
import { formatIncarnation } from '../../ha/incarnation.ts';
import { parseRecord, type LeaseObject } from '../../ha/lease.ts';
import type { Lease, EndpointSlice, Pod, Secret } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types.ts';
import { INCARNATION_ANNOTATION, ORIGINAL_LABEL, roleLabel } from '../../model/labels.ts';
import { isReady } from '../gather/pods.ts';
import { endpointsOf } from '../gather/record.ts';
import type { RawCluster, RawOperation } from '../../kinds/mpd.ts';
import { switchLog } from '../../model/names.ts';
import type { SimulatedHosts } from './simulated-hosts.ts';
import type { SimulatedVolume } from './simulated-data.ts';

/** Test only: how a world must look when the operator is at rest. */
export interface Outcome {
  name: string;
  /** Undefined when it is gone. */
  cluster: RawCluster | undefined;
  /** All objects with the cluster's label or owner, and its port reservations. */
  objects: readonly KubeObject[];
  hosts: SimulatedHosts;
}

interface Instance {
  id: string;
  physicalId: string;
  isRw: boolean;
}

/** The cluster runs, is whole, and there is nothing beside it that does not belong. */
export function expectRunning(outcome: Outcome, followers: number): void {
  const { cluster, objects, hosts } = outcome;
  expect(hosts.safety.violations).to.deep.equal([]);
  expectStatus(cluster!);
  const instances = instancesOf(outcome);
  expect(instances.filter(it => it.isRw)).to.have.length(1);
  expect(instances.filter(it => !it.isRw)).to.have.length(followers);
  const ids = [cluster!.status!.logicId!, ...instances.flatMap(it => [it.id, it.physicalId])];
  expect([...new Set(ids)], 'an id was given twice').to.deep.equal(ids);
  for (const pod of pods(objects)) expect(isReady(pod), `${pod.metadata.name} is ready`).to.equal(true);
  expect(namesOf(outcome)).to.deep.equal(expectedNames(outcome, instances).sort());
  expectFinished(outcome);
  expectWriter(outcome, instances);
}

function expectStatus({ metadata, status = {} }: RawCluster): void {
  const ready = status.conditions?.find(({ type }) => type === 'Ready');
  expect(`${status.clusterStatus} ${ready?.status} ${ready?.message}`).to.equal(
    'Running True the cluster is as spec asks',
  );
  expect(status.observedGeneration).to.equal(metadata.generation);
  expect(status.operation, 'operation in status').to.equal(undefined);
  for (const [id, { ready: isUp, installed, currentState }] of Object.entries(status.dbInstanceStatus ?? {})) {
    expect([isUp, installed, currentState?.state], id).to.deep.equal([true, true, 'RUNNING']);
  }
}

/** No engine, no pod, nobody published; everything else stays. */
export function expectStopped(outcome: Outcome): void {
  const { cluster, objects, hosts } = outcome;
  expect(hosts.safety.violations).to.deep.equal([]);
  expect(cluster?.status?.clusterStatus).to.equal('Stopped');
  expect(hosts.safety.engines.size, 'engines').to.equal(0);
  expect(endpointsOf(sliceOf(outcome))).to.deep.equal([]);
  expect(recordOf(objects).holder).to.equal(undefined);
  const kept = expectedNames(outcome, instancesOf(outcome)).filter(name => !name.startsWith('Pod '));
  expect(namesOf(outcome)).to.deep.equal(kept.sort());
  expectFinished(outcome);
}

/** Everything is gone but what the policy keeps. */
export function expectGone({ cluster, objects, hosts }: Outcome, keepsVolumes: boolean): void {
  expect(hosts.safety.violations).to.deep.equal([]);
  expect(cluster).to.equal(undefined);
  expect(hosts.safety.engines.size, 'engines').to.equal(0);
  const left = objects.filter(({ kind }) => !keepsVolumes || kind !== 'PersistentVolumeClaim');
  expect(left.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).to.deep.equal([]);
}

/** Each operation ran to its end, and none was asked for twice. */
function expectFinished({ objects }: Outcome): void {
  const operations = objects.filter(({ kind }) => kind === 'MPDOperation') as RawOperation[];
  for (const { metadata, status } of operations) expect(status?.phase, metadata.name).to.equal('Succeeded');
  const types = operations.map(({ spec }) => spec.type);
  expect([...new Set(types)]).to.deep.equal(types);
}

/** The record, the publication and the data all speak of the same RW. */
function expectWriter(outcome: Outcome, instances: readonly Instance[]): void {
  const { objects, hosts } = outcome;
  const rw = pods(objects).find(pod => pod.metadata.name.endsWith(`-${instances.find(it => it.isRw)?.id ?? ''}`))!;
  const { holder } = recordOf(objects);
  expect(holder?.podUid).to.equal(rw.metadata.uid);
  const slice = sliceOf(outcome);
  expect(endpointsOf(slice).map(({ targetRef }) => targetRef?.uid)).to.deep.equal([rw.metadata.uid]);
  expect(slice?.metadata.annotations?.[INCARNATION_ANNOTATION]).to.equal(formatIncarnation(holder!));
  const writers = [...hosts.safety.engines].filter(([, { role }]) => role === 'rw');
  expect(writers.map(([incarnation]) => incarnation)).to.deep.equal([formatIncarnation(holder!)]);
  expectData(outcome, writers[0]![1].volume);
  for (const { metadata } of pods(objects)) {
    const role = roleLabel(metadata.uid === rw.metadata.uid ? 'rw' : 'ro');
    expect(metadata.labels?.[ORIGINAL_LABEL.role], metadata.name).to.equal(role);
  }
}

/** Accounts as the Secrets say, and the application's database. */
function expectData({ name, cluster, objects }: Outcome, data: SimulatedVolume): void {
  const secret = (of: string, key: string): string => {
    const found = objects.find(
      ({ kind, metadata }) => kind === 'Secret' && metadata.name === `${name}-${of}`,
    ) as Secret;
    return Buffer.from(found.data?.[key] ?? '', 'base64').toString();
  };
  const logicId = cluster?.status?.logicId ?? '';
  expect(Object.fromEntries(data.accounts)).to.deep.equal({
    aurora: { level: 7, password: secret(`${logicId}-aurora`, 'Password') },
    replicator: { level: 15, password: secret(`${logicId}-replicator`, 'Password') },
    app: { level: 1, password: secret('app', 'password') },
  });
  expect(Object.fromEntries(data.databases)).to.deep.equal({ app: { owner: 'app' } });
}

function instancesOf({ cluster }: Outcome): Instance[] {
  return Object.entries(cluster?.status?.dbInstanceStatus ?? {}).map(([id, { physicalInsId = '', insType }]) => {
    return { id, physicalId: physicalInsId, isRw: insType === 'rw' };
  });
}

/** Names of everything that such a cluster has, and nothing else. */
function expectedNames({ name, cluster, objects }: Outcome, instances: readonly Instance[]): string[] {
  const isLocal = cluster?.spec.dbClusterType === 'local';
  const operations = objects.filter(({ kind }) => kind === 'MPDOperation').map(it => it.metadata.name);
  const system = ['aurora', 'replicator'].map(it => `Secret ${name}-${cluster?.status?.logicId ?? ''}-${it}`);
  return [
    ...operations.map(it => `MPDOperation ${it}`),
    ...portNames(cluster),
    ...['user-params', 'running-params'].map(it => `ConfigMap ${name}-${it}`),
    ...system,
    `Secret ${name}-app`,
    ...['ServiceAccount', 'Role', 'RoleBinding'].map(kind => `${kind} ${name}-engine`),
    ...['rw', 'ro'].map(it => `Service ${name}-${it}`),
    `PodDisruptionBudget ${name}-ro`,
    ...(instances.length > 1 ? [`PodDisruptionBudget ${name}-rw`] : []),
    `Lease ${name}-primary`,
    `EndpointSlice ${name}-rw`,
    ...instances.flatMap(({ id, physicalId }) => [
      `Pod ${name}-${physicalId}-${id}`,
      `Secret ${name}-${id}-tls`,
      ...(isLocal ? [`PersistentVolumeClaim ${name}-${id}-data`] : []),
    ]),
  ];
}

/** Reservations on the host network: the same three for all instances. */
function portNames(cluster: RawCluster | undefined): string[] {
  const net = Object.values(cluster?.status?.dbInstanceStatus ?? {})[0]?.netInfo;
  const ports = cluster?.spec.netCfg ? [net?.workingPort, net?.agentPort, net?.healthPort] : [];
  return ports.map(port => `ConfigMap polardb-port-${port ?? 'missing'}`);
}

/** Slices of `<cluster>-ro` are made by Kubernetes itself; the log of switches is there once there was one. */
const namesOf = ({ name, objects }: Outcome): string[] =>
  objects
    .filter(({ kind, metadata }) => kind !== 'EndpointSlice' || !metadata.name.startsWith(`${name}-ro-`))
    .filter(({ metadata }) => metadata.name !== switchLog(name))
    .map(({ kind, metadata }) => `${kind} ${metadata.name}`)
    .sort();

const pods = (objects: readonly KubeObject[]): Pod[] => objects.filter(({ kind }) => kind === 'Pod') as Pod[];

const sliceOf = ({ name, objects }: Outcome): EndpointSlice | undefined =>
  objects.find(({ kind, metadata }) => kind === 'EndpointSlice' && metadata.name === `${name}-rw`) as
    EndpointSlice | undefined;

function recordOf(objects: readonly KubeObject[]): ReturnType<typeof parseRecord> {
  const lease = objects.find(({ kind }) => kind === 'Lease') as Lease;
  return parseRecord(lease as unknown as LeaseObject);
}
