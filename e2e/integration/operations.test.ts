import { expect } from 'chai';
import { MPD_OPERATIONS } from '../../operator/kinds/mpd.ts';
import { KubeClient } from '../../operator/kube/client.ts';
import { findCredentials } from '../../operator/kube/credentials.ts';
import { RESOURCES } from '../../operator/kube/resources.ts';
import { silentLogger } from '../../operator/kube/testing/support.ts';
import { LifecycleOperator } from '../../operator/lifecycle/operator.ts';
import { controlPlane } from '../support/control-plane.ts';
import { eventually } from '../support/eventually.ts';
import { installKinds } from '../support/kinds.ts';

const namespace = `operations-${process.pid}`;

describe('operations that people make, real API server', function () {
  this.timeout(60_000);
  let client: KubeClient;
  let operator: LifecycleOperator;

  before(async function () {
    this.timeout(900_000);
    const plane = await controlPlane();
    const credentials = findCredentials({ kubeconfig: plane.kubeconfig });
    client = new KubeClient({ credentials, fieldManager: 'test' });
    await installKinds(plane, client);
    await client.create(RESOURCES.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    operator = new LifecycleOperator({
      client: new KubeClient({ credentials, fieldManager: 'polardb-stack-operator' }),
      log: silentLogger,
      flowEvents: () => undefined,
      operatorName: 'polar-mpd',
      systemNamespace: namespace,
      settingsNamespace: namespace,
      watchNamespaces: [namespace],
      podName: 'operator',
      stackImage: 'polardb-stack:test',
      pullPolicy: 'IfNotPresent',
      workers: 1,
    });
    await operator.start();
  });

  after(async () => {
    await operator.drain();
    await client.delete(RESOURCES.namespaces, { name: namespace });
    await client.close();
  });

  it('are looked at though they carry no labels: one for nobody fails at once', async () => {
    const { apiVersion, kind } = MPD_OPERATIONS;
    const metadata = { namespace, name: 'by-hand' };
    const spec = { target: { name: 'nobody' }, type: 'restartCluster' } as const;
    await client.create(MPD_OPERATIONS, { apiVersion, kind, metadata, spec });
    const told = await eventually('it has ended', async () => {
      const { status } = (await client.get(MPD_OPERATIONS, metadata)) ?? {};
      return status?.phase && `${status.phase}: ${status.message ?? ''}`;
    });
    expect(told).to.equal(`Failed: there is no MPDCluster "nobody" in namespace ${namespace}`);
  });
});
