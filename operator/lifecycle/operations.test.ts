import { expect } from 'chai';
import type { MPDClusterSpecInput, MPDClusterStatus } from '../../crds/mpdcluster.ts';
import type { OperationType } from '../../crds/mpdoperation.ts';
import { currentOperation, listOperations, neededOperation, newOperation, operationName } from './operations.ts';
import type { RawOperation } from '../kinds/mpd.ts';
import { clusterOf, localSpec } from './testing/fixtures.ts';

type Phase = NonNullable<NonNullable<RawOperation['status']>['phase']>;

const operation = (type: OperationType, phase: Phase): RawOperation => ({
  apiVersion: 'mpd.polardb.aliyun.com/v1',
  kind: 'MPDOperation',
  metadata: { name: `orders-${type}`, namespace: 'shop', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { target: { name: 'orders' }, type, requestedBy: 'spec' },
  status: { phase },
});

/** One RW and so many followers. */
const members = (followers: number): MPDClusterStatus['dbInstanceStatus'] => ({
  1002: { insType: 'rw' },
  ...Object.fromEntries(
    Array.from({ length: followers }, (_, i) => [String(1004 + 2 * i), { insType: 'ro' as const }]),
  ),
});

describe('operation that the state of a cluster calls for', () => {
  const running: MPDClusterStatus = { clusterStatus: 'Running', dbInstanceStatus: members(2) };
  const cases: [string, MPDClusterSpecInput, MPDClusterStatus, RawOperation[], OperationType | undefined][] = [
    ['a new cluster', localSpec, {}, [], 'create'],
    ['one that is being created', localSpec, { clusterStatus: 'Creating' }, [operation('create', 'Running')], 'create'],
    [
      'one whose creation ended but was not told',
      localSpec,
      { ...running, clusterStatus: 'Creating' },
      [operation('create', 'Succeeded')],
      undefined,
    ],
    ['one that is as wanted', localSpec, running, [], undefined],
    ['more followers', { ...localSpec, followerNum: 3 }, running, [], 'addRo'],
    [
      'as many instances while nobody is told as RW',
      localSpec,
      { ...running, dbInstanceStatus: { ...members(2), 1002: { insType: 'ro' } } },
      [],
      undefined,
    ],
    ['fewer followers: not a thing of this release', { ...localSpec, followerNum: 1 }, running, [], undefined],
    ['stop', { ...localSpec, stopped: true }, running, [], 'stop'],
    ['stopped', { ...localSpec, stopped: true }, { ...running, clusterStatus: 'Stopped' }, [], undefined],
    ['start', localSpec, { ...running, clusterStatus: 'Stopped' }, [], 'start'],
  ];
  for (const [what, spec, status, operations, needed] of cases) {
    it(what, () => expect(neededOperation(clusterOf(spec, status), listOperations(operations))).to.equal(needed));
  }

  it('deletion comes before everything, and does not wait for what is interrupted', () => {
    const cluster = clusterOf(localSpec, running);
    cluster.metadata.deletionTimestamp = '2026-01-02T00:00:00Z';
    const asked = newOperation(cluster, operationName(cluster, 'delete'), { type: 'delete', requestedBy: 'spec' });
    const operations = listOperations([operation('create', 'Interrupted'), asked]);
    expect(neededOperation(cluster, operations)).to.equal('delete');
    expect(currentOperation(cluster, operations)?.name).to.equal(asked.metadata.name);
  });

  it('deletion is the one that this cluster asked for: no other stands for it', () => {
    const cluster = clusterOf(localSpec, running);
    cluster.metadata.deletionTimestamp = '2026-01-02T00:00:00Z';
    expect(currentOperation(cluster, listOperations([operation('delete', 'Succeeded')]))).to.equal(undefined);
  });

  it('is named once for creation, and by generation for edits', () => {
    const cluster = clusterOf(localSpec);
    expect(operationName(cluster, 'create')).to.equal('orders-create-7a1c5a3e');
    expect(operationName(cluster, 'addRo')).to.equal('orders-addro-g3');
  });
});
