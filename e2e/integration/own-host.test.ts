import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { synth } from '../../manifests/synth.ts';
import { REFRESHED } from '../../operator/daemon/conditions.ts';
import { FactMap } from '../../operator/daemon/fact-map.ts';
import type { JobName } from '../../operator/daemon/loop.ts';
import { KubeClient } from '../../operator/kube/client.ts';
import { systemClock } from '../../operator/kube/clock.ts';
import { findCredentials, type CredentialSource } from '../../operator/kube/credentials.ts';
import { RESOURCES, type ConfigMap, type Node } from '../../operator/kube/resources.ts';
import {
  HOST_FACTS_LABEL,
  hostVolumesName,
  logReportName,
  portUsageName,
  versionAvailabilityName,
} from '../../operator/model/host.ts';
import { controlPlane, type ControlPlane } from '../support/control-plane.ts';
import { eventually } from '../support/eventually.ts';

const run = promisify(execFile);
const namespace = `own-host-${process.pid}`;
const [OWN, OTHER] = [`${namespace}-a`, `${namespace}-b`];
/** Of the installation: what the daemon's account may, and what holds it to its own host. */
const FILES = ['0002-access.yaml', '0004-admission.yaml'];
const ACCOUNT = 'polardb-stack-daemon';
const MAPS: readonly [JobName, (host: string) => string][] = [
  ['ports', portUsageName],
  ['versions', versionAvailabilityName],
  ['volumes', hostVolumesName],
  ['logs', logReportName],
];

describe('a daemon and the other hosts, real API server', function () {
  this.timeout(60_000);
  let plane: ControlPlane;
  let dist: string;
  let admin: KubeClient;
  /** With the token of a pod of the DaemonSet on OWN, as the kubelet mounts it. */
  let daemon: KubeClient;

  before(async function () {
    this.timeout(900_000);
    plane = await controlPlane();
    const credentials = findCredentials({ kubeconfig: plane.kubeconfig });
    admin = new KubeClient({ credentials, fieldManager: 'test' });
    await admin.create(RESOURCES.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    for (const name of [OWN, OTHER]) {
      await admin.create(RESOURCES.nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name } });
    }
    dist = await mkdtemp(join(tmpdir(), 'own-host-'));
    synth(dist, { systemNamespace: namespace, settingsNamespace: namespace });
    for (const file of FILES) await kubectl('apply', '-f', join(dist, file));
    await admin.create(RESOURCES.pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace, name: 'daemon' },
      spec: { nodeName: OWN, serviceAccountName: ACCOUNT, containers: [{ name: 'daemon', image: 'none' }] },
    });
    daemon = await withToken(credentials, '--bound-object-kind=Pod', '--bound-object-name=daemon');
    // The API server takes up a new policy within seconds of its own choosing.
    await eventually('the policy is in force', async () => {
      expect(await refusal(beat(daemon, OTHER))).not.to.equal('');
      return true;
    });
  });

  after(async () => {
    await admin.delete(RESOURCES.pods, { namespace, name: 'daemon' }, { graceSeconds: 0 });
    for (const name of [OWN, OTHER]) await admin.delete(RESOURCES.nodes, { name });
    for (const file of FILES) await kubectl('delete', '--ignore-not-found', '--wait=false', '-f', join(dist, file));
    await admin.delete(RESOURCES.namespaces, { name: namespace });
    await Promise.all([admin, daemon].map(client => client.close()));
    await rm(dist, { recursive: true, force: true });
  });

  it('may write the conditions of its own node, and no others', async () => {
    await beat(daemon, OWN);
    const written = (await admin.get(RESOURCES.nodes, { name: OWN }))?.status?.conditions;
    expect(written?.map(({ type }) => type)).to.include(REFRESHED.type);
    expect(await refusal(beat(daemon, OTHER))).to.match(
      wordsOf(`a daemon may write the conditions of its own node, ${OWN}, alone`),
    );
  });

  for (const [job, nameOf] of MAPS) {
    it(`may make and change the map of its own ${job}, and no others`, async () => {
      for (const content of ['first', 'second']) await publish(daemon, job, nameOf(OWN), content);
      const refused = wordsOf(`a daemon may write ConfigMaps with facts of its own host, ${OWN}, alone`);
      expect(await refusal(publish(daemon, job, nameOf(OTHER), 'made'))).to.match(refused);
      await publish(admin, job, nameOf(OTHER), 'its own');
      expect(await refusal(publish(daemon, job, nameOf(OTHER), 'changed'))).to.match(refused);
      const map = (nameOf: (host: string) => string, host: string) =>
        admin.get(RESOURCES.configMaps, { namespace, name: nameOf(host) });
      expect((await map(nameOf, OWN))?.data).to.deep.equal({ said: 'second' });
      expect((await map(nameOf, OTHER))?.data).to.deep.equal({ said: 'its own' });
    });
  }

  it('may not write settings, nor a map of its own name that is not marked as facts', async () => {
    const bare = (name: string): ConfigMap => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace, name },
      data: {},
    });
    const refused = wordsOf(`a daemon may write ConfigMaps with facts of its own host, ${OWN}, alone`);
    await admin.create(RESOURCES.configMaps, bare('ccm-config'));
    expect(await refusal(daemon.replace(RESOURCES.configMaps, bare('ccm-config')))).to.match(refused);
    expect(await refusal(daemon.replace(RESOURCES.configMaps, bare(portUsageName(OWN))))).to.match(refused);
    const labels = { [HOST_FACTS_LABEL]: 'ports' };
    const marked = { ...bare('ccm-config'), metadata: { namespace, name: 'ccm-config', labels } };
    expect(await refusal(daemon.replace(RESOURCES.configMaps, marked))).to.match(refused);
  });

  it('is held to nothing where its token names no node (Kubernetes before 1.30), and nobody else is', async () => {
    const unbound = await withToken(findCredentials({ kubeconfig: plane.kubeconfig }));
    for (const client of [unbound, admin]) {
      await beat(client, OTHER);
      await publish(client, 'ports', portUsageName(OTHER), client.fieldManager);
    }
    await unbound.close();
  });

  const kubectl = (...args: string[]) =>
    run(plane.kubectl, args, { env: { ...process.env, KUBECONFIG: plane.kubeconfig } });

  async function withToken(of: CredentialSource, ...bound: string[]): Promise<KubeClient> {
    const { server, tls } = await of();
    const { stdout } = await kubectl('create', 'token', ACCOUNT, '-n', namespace, ...bound);
    const headers = { authorization: `Bearer ${stdout.trim()}` };
    return new KubeClient({
      credentials: () => Promise.resolve({ server, headers, tls: { ca: tls.ca } }),
      fieldManager: ACCOUNT,
    });
  }
});

const beat = (client: KubeClient, name: string): Promise<Node> =>
  client.applyStatus(RESOURCES.nodes, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name },
    status: { conditions: [{ ...REFRESHED, lastHeartbeatTime: new Date().toISOString() }] },
  });

const publish = (client: KubeClient, job: JobName, name: string, said: string): Promise<boolean> =>
  new FactMap({ client, ref: { namespace, name }, job, clock: systemClock }).write(() => ({ data: { said } }));

/** What a person reads when it is refused; empty when it is not. */
const refusal = (attempt: Promise<unknown>): Promise<string> =>
  attempt.then(
    () => '',
    (error: unknown) => (error as Error).message,
  );

const wordsOf = (text: string): RegExp =>
  new RegExp(`ValidatingAdmissionPolicy 'polardb-stack-daemon-own-host' .* denied request: ${text}`);
