import { expect } from 'chai';
import { AGENT_CONFIG_ENV, parseAgentConfig } from '../../agent-api/config.ts';
import type { Pod } from '../../kube/resources.ts';
import { LABEL, ORIGINAL_LABEL } from '../../model/labels.ts';
import { POD_FINALIZER } from '../../model/names.ts';
import type { ClusterPlan } from '../plan.ts';
import { planOf } from '../testing/fixtures.ts';
import { buildRole, buildRoleBinding, buildServiceAccount } from './access.ts';
import { buildRunningParams } from './params.ts';
import { buildPod } from './pod.ts';
import { buildAccountSecret, buildAppSecret, SYSTEM_ACCOUNTS } from './secrets.ts';
import { buildRoDisruptionBudget, buildRoService, buildRwDisruptionBudget, buildRwService } from './services.ts';
import { buildDataClaim, isClaimOf } from './volumes.ts';

const shared: Partial<ClusterPlan> = { topology: 'share', volume: { kind: 'shared', claimName: 'disk' } };
const pod = (change?: Partial<ClusterPlan>): Pod => {
  const plan = planOf(change);
  return buildPod(plan, plan.instances[0]!);
};
const engine = ({ spec }: Pod) => spec!.containers[0]!;
const mount = ({ spec }: Pod, path: string) => {
  const mounted = spec!.containers[0]!.volumeMounts!.find(it => it.mountPath === path);
  return { ...mounted, from: spec!.volumes!.find(it => it.name === mounted?.name) };
};
const decoded = (data: Record<string, string> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));

describe('engine pod', () => {
  it('is a bare pod of the cluster that only proof lets go', () => {
    const { metadata, spec } = pod();
    expect(metadata.name).to.equal('orders-1001-1002');
    expect(metadata.finalizers).to.deep.equal([POD_FINALIZER]);
    expect(metadata.ownerReferences?.[0]).to.include({ kind: 'MPDCluster', name: 'orders', controller: true });
    expect(spec?.restartPolicy).to.equal('Always');
  });

  it('carries the labels of ours and of the original', () => {
    expect(pod().metadata.labels).to.include({
      [LABEL.cluster]: 'orders',
      [LABEL.instance]: '1002',
      [LABEL.component]: 'engine',
      [ORIGINAL_LABEL.role]: 'polardb_mpd_rw',
      [ORIGINAL_LABEL.logicId]: '1000',
      [ORIGINAL_LABEL.physicalId]: '1001',
      [ORIGINAL_LABEL.instanceId]: '1002',
      [ORIGINAL_LABEL.port]: '5432',
    });
  });

  it('starts the agent under tini from the tree that the init container copies', () => {
    const { command, args, image } = engine(pod());
    const [init] = pod().spec!.initContainers!;
    expect([init?.image, image]).to.deep.equal(['stack:1', 'postgresql:15']);
    expect(init?.workingDir).to.equal('/polardb-stack');
    // Forced: without it a pod never starts again whose host was restarted.
    const [program, ...words] = init?.command ?? [];
    expect(program).to.equal('/polardb-stack/bin/busybox');
    expect(words.join(' ')).to.equal('cp -rf --parents bin runtime program/agent.mjs /target');
    expect(command?.slice(0, 4)).to.deep.equal([
      '/polardb-stack/bin/tini',
      '-s',
      '--',
      '/polardb-stack/runtime/lib/ld-linux-x86-64.so.2',
    ]);
    expect(args?.at(-1)).to.equal('/polardb-stack/program/agent.mjs');
  });

  it('meets restricted Pod Security and shares no process namespace', () => {
    const { spec } = pod();
    expect(spec?.securityContext).to.deep.include({
      runAsNonRoot: true,
      runAsUser: 999,
      fsGroup: 999,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    for (const { securityContext } of [...spec!.initContainers!, ...spec!.containers]) {
      expect(securityContext).to.deep.include({ allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } });
    }
    for (const key of ['shareProcessNamespace', 'hostPID', 'hostIPC']) expect(spec).to.not.have.property(key);
  });

  it('never comes to excluded hosts, and to disliked ones only when there is no other', () => {
    const plan = planOf();
    const made = buildPod(plan, plan.instances[0]!, { excluded: ['node-2', 'node-1'], disliked: ['node-3'] });
    const { requiredDuringSchedulingIgnoredDuringExecution: required, ...rest } = made.spec!.affinity!.nodeAffinity!;
    const not = (host: string) => ({ key: 'metadata.name', operator: 'NotIn', values: [host] });
    expect(required?.nodeSelectorTerms[0]).to.deep.equal({
      matchExpressions: [{ key: 'mpd.polardb.aliyun.com/maintainNode', operator: 'DoesNotExist' }],
      matchFields: [not('node-1'), not('node-2')],
    });
    expect(rest.preferredDuringSchedulingIgnoredDuringExecution).to.deep.equal([
      { weight: 100, preference: { matchFields: [not('node-3')] } },
    ]);
    expect(made.metadata.annotations).to.deep.equal({ 'mpd.polardb.aliyun.com/excluded-hosts': 'node-1,node-2' });
    expect(pod().metadata.annotations).to.equal(undefined);
  });

  it('stays bound to a host that is away, and is asked for its liveness without SQL', () => {
    const { spec } = pod();
    for (const { effect, operator, tolerationSeconds } of spec!.tolerations!) {
      expect([effect, operator, tolerationSeconds]).to.deep.equal(['NoExecute', 'Exists', undefined]);
    }
    const { livenessProbe, readinessProbe } = engine(pod());
    expect([livenessProbe?.httpGet?.path, readinessProbe?.httpGet?.path]).to.deep.equal(['/livez', '/readyz']);
  });

  it('has a volume of its own in local', () => {
    expect(mount(pod(), '/data').from?.persistentVolumeClaim?.claimName).to.equal('orders-1002-data');
    expect(mount(pod(), '/shared').from).to.equal(undefined);
  });

  it('has the shared claim and a place for itself in share', () => {
    expect(mount(pod(shared), '/shared').from?.persistentVolumeClaim?.claimName).to.equal('disk');
    expect(mount(pod(shared), '/data').from?.emptyDir).to.deep.equal({});
  });

  it('gets certificate and password as files that others cannot read', () => {
    const files = ['/etc/polardb-stack/tls', '/etc/polardb-stack/replicator'].map(path => mount(pod(), path));
    expect(files.map(({ from }) => from?.secret)).to.deep.equal([
      { secretName: 'orders-1002-tls', defaultMode: 0o440 },
      { secretName: 'orders-1000-replicator', defaultMode: 0o440 },
    ]);
    expect(files.every(({ readOnly }) => readOnly)).to.equal(true);
  });

  it('listens where the plan says, on the host network too', () => {
    const ports = { engine: 5500, agent: 36_000, health: 36_001 };
    const plan = planOf({ hostNetwork: true });
    const made = buildPod(plan, { ...plan.instances[0]!, ports });
    expect(made.spec).to.include({ hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' });
    expect(engine(made).ports?.map(it => it.containerPort)).to.deep.equal([5500, 36_000, 36_001]);
    expect(engine(made).livenessProbe?.httpGet?.port).to.equal(36_001);
    expect(pod().spec?.hostNetwork).to.equal(false);
  });

  for (const [what, change] of [
    ['local', {}],
    ['share', shared],
  ] as const) {
    it(`tells the agent what it needs and never a role, ${what}`, () => {
      const { env } = engine(pod(change));
      const text = env?.find(({ name }) => name === AGENT_CONFIG_ENV)?.value ?? '';
      const config = parseAgentConfig(text);
      expect(config).to.deep.include({ instanceId: '1002', topology: what, group: 'orders' });
      expect(config.record).to.deep.equal({ namespace: 'shop', leaseName: 'orders-primary' });
      expect(config.paths.shared).to.equal(what === 'share' ? '/shared' : undefined);
      expect(text).to.not.match(/"(role|rw|ro)"/);
    });
  }
});

describe('objects beside the pods', () => {
  const plan = planOf();

  it('keep the claim when the cluster goes: it has no owner but a mark of whose it is', () => {
    const claim = buildDataClaim(
      planOf({ volume: { kind: 'own', size: '10Gi', storageClassName: 'fast' } }),
      plan.instances[0]!,
    )!;
    expect(claim.metadata.ownerReferences).to.equal(undefined);
    expect(claim.spec).to.deep.include({ accessModes: ['ReadWriteOnce'], storageClassName: 'fast' });
    expect(claim.spec?.resources?.requests?.storage).to.equal('10Gi');
    expect([isClaimOf(plan, claim), isClaimOf({ uid: 'another' }, claim)]).to.deep.equal([true, false]);
    expect(buildDataClaim(planOf(shared), plan.instances[0]!)).to.equal(undefined);
  });

  it('let pods read their own record and nothing else', () => {
    expect(buildRole(plan).rules).to.deep.equal([
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], resourceNames: ['orders-primary'], verbs: ['get'] },
    ]);
    expect(buildRoleBinding(plan).subjects?.[0]).to.include({ kind: 'ServiceAccount', name: 'orders-engine' });
    expect(buildServiceAccount(plan).automountServiceAccountToken).to.equal(false);
  });

  it('leave the RW Service without a selector: one slice of it is the publication', () => {
    expect(buildRwService(plan).spec).to.not.have.property('selector');
    expect(buildRoService(plan).spec?.selector).to.include({ [ORIGINAL_LABEL.role]: 'polardb_mpd_ro' });
  });

  it('let one RO be away at a time', () => {
    const { spec } = buildRoDisruptionBudget(plan);
    expect(spec?.maxUnavailable).to.equal(1);
    expect(spec?.selector?.matchLabels).to.include({ [ORIGINAL_LABEL.role]: 'polardb_mpd_ro' });
  });

  it('let the RW be evicted only after another instance has become it, where there is one', () => {
    const { spec } = buildRwDisruptionBudget(plan)!;
    expect(spec?.minAvailable).to.equal(1);
    expect(spec?.selector?.matchLabels).to.include({ [ORIGINAL_LABEL.role]: 'polardb_mpd_rw' });
    expect(buildRwDisruptionBudget(planOf({ instances: plan.instances.slice(0, 1) }))).to.equal(undefined);
  });

  it('hold the accounts in the form of the original', () => {
    const [aurora, replicator] = SYSTEM_ACCOUNTS.map(account => buildAccountSecret(plan, account, 'pass word'));
    expect(aurora?.metadata.name).to.equal('orders-1000-aurora');
    expect(aurora?.metadata.labels).to.include({ mpdcluster_name: 'orders' });
    expect(decoded(aurora?.data)).to.deep.equal({ Account: 'aurora', Password: 'pass word', Priviledge_type: '7' });
    expect(decoded(replicator?.data)).to.include({ Account: 'replicator', Priviledge_type: '15' });
  });

  it('tell an application how to connect, whatever its names and password are', () => {
    const odd = planOf({ application: { database: 'my db', owner: 'o@wner' } });
    const data = decoded(buildAppSecret(odd, 'p@ss/w:rd').data);
    expect(data).to.include({ username: 'o@wner', password: 'p@ss/w:rd', dbname: 'my db', port: '5432' });
    const uri = new URL(data.uri!);
    expect(decodeURIComponent(uri.username)).to.equal('o@wner');
    expect(decodeURIComponent(uri.password)).to.equal('p@ss/w:rd');
    expect(decodeURIComponent(uri.pathname)).to.equal('/my db');
    expect([uri.hostname, uri.searchParams.get('sslmode')]).to.deep.equal(['orders-rw.shop.svc', 'require']);
  });

  it('show parameters in the form of the original, in UTC', () => {
    const map = buildRunningParams(plan, new Date('2026-01-02T03:04:05.678Z'));
    expect(map.metadata.labels).to.include({ dbCluster: 'orders-running-params', configType: 'running-params' });
    expect(JSON.parse(map.data?.work_mem ?? '')).to.deep.equal({
      name: 'work_mem',
      value: '4MB',
      updateTime: '2026-01-02T03:04:05Z',
      inoperative_value: '',
    });
  });
});
