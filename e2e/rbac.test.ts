import { expect } from 'chai';
import { clusterManagerAccess } from '../manifests/access/cluster-manager.ts';
import { operatorAccess } from '../manifests/access/operator.ts';
import type { GrantedRule, PartAccess } from '../manifests/access/rule.ts';
import { partName } from '../manifests/names.ts';
import { site } from '../manifests/site.ts';
import { RESOURCES } from '../operator/kube/resources.ts';
import { isReady } from '../operator/lifecycle/gather/pods.ts';
import { MPD_OPERATIONS } from '../operator/kinds/mpd.ts';
import { LABEL } from '../operator/model/labels.ts';
import { API_GROUP, CA_SECRET, userParams } from '../operator/model/names.ts';
import { auditHas, auditSince, serviceAccountOf, type AuditEvent } from './support/audit.ts';
import type { Database } from './support/database.ts';
import { localSpec, shareSpec } from './support/engine.ts';
import { ManagerApi, MOVER } from './support/manager-api.ts';
import { Operations } from './support/operations.ts';
import { scenario } from './support/scenario.ts';
import { sharedVolume } from './support/shared-volume.ts';
import { SYSTEM_NAMESPACE } from './support/stack.ts';

/** Finished operations that are kept; one more makes the oldest go. */
const KEPT = 20;

/** Rules that are not bound to one namespace, and those that are. */
const grantsOf = (access: PartAccess): readonly { rules: readonly GrantedRule[]; namespace?: string }[] => [
  { rules: access.clusters },
  { rules: access.hosts },
  { rules: access.nodeLeases, namespace: 'kube-node-lease' },
  { rules: access.settings, namespace: site.settingsNamespace },
  { rules: access.system, namespace: site.systemNamespace },
];

const accountOf = ({ part }: PartAccess): string => `${SYSTEM_NAMESPACE}:${partName(part)}`;

const PARTS = [operatorAccess, clusterManagerAccess];
const ACCOUNTS = PARTS.map(accountOf);

/**
 * The audit log reaches back to the first start of this Kubernetes, so that what happens once, such as the making of the
 * certificate authority, counts whenever it was. All else that rules are for is caused here.
 */
describe('access', function () {
  this.timeout(240_000);
  const scene = scenario('rbac');
  let ours: AuditEvent[];

  before(async () => {
    const { namespace } = scene;
    const volume = await sharedVolume(scene, 'rbac-shared');
    const own = await scene.newCluster('own', localSpec(1, { netCfg: { engineStartPort: 5481 } }));
    const shared = await scene.newCluster('common', shareSpec(0, volume.claim));
    await Promise.all([own.ready(), shared.ready()]);
    await loseSight(own);
    // The label of a role, drift of a child and a lost pod are mended; an RW is revoked and granted anew.
    const [ro] = await own.pods('ro');
    await scene.kubectl.run('label', 'pod', ro!.metadata.name, '--namespace', namespace, 'apsara.metric.db_ins_type-');
    await scene.client.delete(RESOURCES.services, { namespace, name: 'own-ro' });
    await scene.client.delete(RESOURCES.pods, { namespace, name: (await own.rwPod()).metadata.name });
    await scene.eventually('the RW is another one', async () => ((await own.record()).epoch > 1 ? true : undefined));
    await own.ready();
    await switchOver(own);
    await fillHistory('own');
    await rotateAuthority();
    await repeatEvent(own);
    for (const database of [own, shared]) await database.delete();
    for (const database of [own, shared]) await database.gone();
    await volume.remove();
    const all = await auditSince(scene.local.auditLog, 0);
    ours = all.filter(event => event.stage === 'ResponseComplete' || event.verb === 'watch').filter(isOfStack);
  });

  /** As a program asks for it. */
  async function switchOver(database: Database): Promise<void> {
    const api = await ManagerApi.open(scene, database.name);
    try {
      await api.account('mover', MOVER);
      await api.call('mover', 'POST', '/enable', { enable: 1 });
      const ro = await scene.eventually('an RO is ready', async () => (await database.pods('ro')).find(isReady));
      const asked = await api.call('mover', 'POST', '/switchover', { to: database.instanceOf(ro) });
      const { status } = await new Operations(scene, database).ended(String(asked.data?.operation));
      expect(status?.phase, status?.message).to.equal('Succeeded');
      expect((await api.call('mover', 'GET', '/switch_log')).status).to.equal(200);
    } finally {
      await api.close();
    }
  }

  /** A pod or a map that lost the label which the watches go by is found by its name, and gets it back. */
  async function loseSight(database: Database): Promise<void> {
    const [ro] = await database.pods('ro');
    const { name, namespace = '' } = ro!.metadata;
    const map = { namespace, name: userParams(database.name) };
    await scene.kubectl.run('label', 'configmap', map.name, '--namespace', namespace, `${LABEL.cluster}-`);
    await scene.eventually('the map is in sight again', async () => {
      const found = await scene.client.get(RESOURCES.configMaps, map);
      return found?.metadata.labels?.[LABEL.cluster];
    });
    await scene.kubectl.run('label', 'pod', name, '--namespace', namespace, `${LABEL.cluster}-`);
    await scene.eventually('the pod is in sight again', async () =>
      (await database.pods()).find(it => it.metadata.name === name),
    );
  }

  /** A request that cannot be read is taken away, with an Event; the same one again and again is counted. */
  async function repeatEvent(database: Database): Promise<void> {
    await scene.eventually('a repeated Event is counted', async () => {
      await database.patch({ metadata: { annotations: { migrate: 'nowhere' } } });
      const all = await auditSince(scene.local.auditLog, 0);
      const counted = all.some(
        event =>
          event.verb === 'patch' &&
          event.objectRef?.resource === 'events' &&
          serviceAccountOf(event) === accountOf(operatorAccess),
      );
      return counted ? true : undefined;
    });
  }

  /** Operations that this release cannot do fail at once; more than are kept make the oldest go. */
  async function fillHistory(target: string): Promise<void> {
    const { namespace, client } = scene;
    const { apiVersion, kind } = MPD_OPERATIONS;
    const wanted = Array.from({ length: KEPT + 1 }, (_, i) => `of-the-test-${i}`);
    for (const name of wanted) {
      const spec = { target: { name: target }, type: 'flushParams' } as const;
      const labels = { 'mpd.polardb.aliyun.com/cluster': target };
      await client.create(MPD_OPERATIONS, { apiVersion, kind, metadata: { name, namespace, labels }, spec });
    }
    await scene.eventually('old operations are gone', async () => {
      const all = await client.list(MPD_OPERATIONS, { namespace });
      const left = all.filter(it => it.spec.target.name === target);
      const open = left.filter(it => it.status?.phase !== 'Failed' && it.status?.phase !== 'Succeeded');
      return open.length === 0 && left.length <= KEPT ? left : undefined;
    });
  }

  /** As a person asks for it. Its first step is enough, and once: the next ones take hours. */
  async function rotateAuthority(): Promise<void> {
    const ref = { namespace: SYSTEM_NAMESPACE, name: CA_SECRET };
    const isRotated = ({ verb, objectRef }: AuditEvent): boolean => verb === 'update' && objectRef?.name === CA_SECRET;
    if ((await auditSince(scene.local.auditLog, 0)).some(isRotated)) return;
    await scene.client.patchMerge(RESOURCES.secrets, ref, {
      metadata: { annotations: { [`${API_GROUP}/rotate`]: 'now' } },
    });
    await auditHas(scene.local.auditLog, 0, isRotated);
  }

  it('was never refused', () => {
    // In a namespace that is being deleted nothing may be made, by nobody: that is no lack of rights.
    const refused = ours.filter(
      ({ responseStatus }) => responseStatus?.code === 403 && !/being terminated/.test(responseStatus.message ?? ''),
    );
    expect(refused.map(event => `${describeCall(event)} ${event.responseStatus?.message ?? ''}`)).to.deep.equal([]);
  });

  for (const access of PARTS) {
    it(`has no rule that nothing uses: ${access.part}`, () => {
      const used = ours.filter(event => serviceAccountOf(event) === accountOf(access));
      const unused = grantsOf(access).flatMap(({ rules, namespace }) =>
        rules.flatMap(({ rule }) =>
          verbsOf(rule)
            .filter(verb => !used.some(event => uses(event, verb, namespace)))
            .map(describeVerb),
        ),
      );
      expect(unused).to.deep.equal([]);
    });
  }

  it("lets a cluster's pods read their own record and nothing else", () => {
    const calls = ours.filter(event => !isOfPart(event));
    const others = calls.filter(({ verb, objectRef, user }) => {
      const cluster = /:([^:]+)-engine$/.exec(user.username)?.[1];
      return verb !== 'get' || objectRef?.resource !== 'leases' || objectRef.name !== `${cluster ?? ''}-primary`;
    });
    expect(calls).to.not.be.empty;
    expect(others.map(describeCall)).to.deep.equal([]);
  });
});

interface GrantedVerb {
  group: string;
  resource: string;
  verb: string;
}

function verbsOf({ apiGroups = [], resources = [], verbs }: GrantedRule['rule']): GrantedVerb[] {
  return apiGroups.flatMap(group => resources.flatMap(resource => verbs.map(verb => ({ group, resource, verb }))));
}

function uses(event: AuditEvent, wanted: GrantedVerb, namespace: string | undefined): boolean {
  const { objectRef = {} } = event;
  const { apiGroup = '', resource = '', subresource } = objectRef;
  const named = subresource ? `${resource}/${subresource}` : resource;
  const isThere = namespace === undefined || objectRef.namespace === namespace;
  return isThere && rightsOf(event).includes(wanted.verb) && apiGroup === wanted.group && named === wanted.resource;
}

/** A server-side apply of what is not there needs the right to create it too, and answers 201. */
const rightsOf = ({ verb, responseStatus }: AuditEvent): string[] =>
  verb === 'patch' && responseStatus?.code === 201 ? ['patch', 'create'] : [verb];

const isOfPart = (event: AuditEvent): boolean => ACCOUNTS.includes(serviceAccountOf(event) ?? '');
/** Our parts, and pods of clusters. */
const isOfStack = (event: AuditEvent): boolean =>
  isOfPart(event) || /:e2e-[^:]+:[^:]+-engine$/.test(event.user.username);

const describeCall = ({ user, verb, requestURI }: AuditEvent): string => `${user.username} ${verb} ${requestURI}`;
const describeVerb = ({ group, resource, verb }: GrantedVerb): string => `${verb} ${group}/${resource}`;
