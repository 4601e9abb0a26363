import { expect } from 'chai';
import { MPD_CLUSTERS } from '../operator/kinds/mpd.ts';
import { auditHas, auditMark, auditSince, serviceAccountOf, type AuditEvent } from './support/audit.ts';
import type { Database } from './support/database.ts';
import { localSpec } from './support/engine.ts';
import { scenario } from './support/scenario.ts';
import { CLUSTER_MANAGER, OPERATOR, SYSTEM_NAMESPACE } from './support/stack.ts';

/** Half a minute holds every period that we have below 15 s twice. */
const WINDOW_MS = 30_000;

describe('a cluster at rest', function () {
  this.timeout(180_000);
  const scene = scenario('idle');
  let database: Database;

  before(async () => {
    const start = await auditMark(scene.local.auditLog);
    database = await scene.newCluster('idle', localSpec(2));
    await database.ready();
    await scene.eventually('what the start caused has settled', async () => {
      const recent = Date.now() - 5_000;
      const calls = await ourCalls(start, event => Date.parse(event.requestReceivedTimestamp) > recent);
      if (calls.length === 0) return true;
      throw new Error(calls.map(describeCall).join('\n'));
    });
    const callers = new Set((await ourCalls(start)).map(serviceAccountOf));
    expect(callers, 'the log shows them when they call').to.have.keys(
      `${SYSTEM_NAMESPACE}:${OPERATOR}`,
      `${SYSTEM_NAMESPACE}:${CLUSTER_MANAGER}`,
      `${scene.namespace}:idle-engine`,
    );
  });

  /** Calls of our parts and of all pods of clusters, without what rest may cost: watches and the leaders' Leases. */
  async function ourCalls(mark: number, also: (event: AuditEvent) => boolean = () => true): Promise<AuditEvent[]> {
    const events = await auditSince(scene.local.auditLog, mark);
    return events.filter(event => isOurs(event) && !isCostOfRest(event) && also(event));
  }

  it('costs no read and no write but watches and the Leases of the leaders', async () => {
    const mark = await auditMark(scene.local.auditLog);
    const end = Date.now() + WINDOW_MS;
    const isAfter = (event: AuditEvent): boolean => Date.parse(event.requestReceivedTimestamp) > end;
    // The window is over when the log has something later; renewals of Leases see to that.
    await scene.eventually(
      'the window is over',
      async () => (await auditSince(scene.local.auditLog, mark)).find(isAfter),
      {
        deadlineMs: WINDOW_MS + 20_000,
        everyMs: 1_000,
      },
    );
    expect((await ourCalls(mark)).map(describeCall)).to.deep.equal([]);
  });

  it('a reconcile that finds nothing to do makes no call', async () => {
    const mark = await auditMark(scene.local.auditLog);
    const { metadata } = await database.get();
    await database.patch({ metadata: { annotations: { 'example.org/unrelated': 'touched' } } });
    // One more change, whose trace in the log shows that the time for a reaction to the first has passed.
    const end = Date.now() + 5_000;
    await scene.eventually('time for a reaction', async () => {
      const events = await auditSince(scene.local.auditLog, mark);
      return events.find(event => Date.parse(event.requestReceivedTimestamp) > end);
    });
    const isPatch = ({ verb, objectRef }: AuditEvent): boolean =>
      verb === 'patch' && objectRef?.resource === MPD_CLUSTERS.plural && objectRef.name === metadata.name;
    await auditHas(scene.local.auditLog, mark, isPatch);
    expect((await ourCalls(mark)).map(describeCall)).to.deep.equal([]);
  });

  function isOurs(event: AuditEvent): boolean {
    const account = serviceAccountOf(event) ?? '';
    return account.startsWith(`${SYSTEM_NAMESPACE}:`) || account.startsWith(`${scene.namespace}:`);
  }
});

const isCostOfRest = ({ verb, objectRef }: AuditEvent): boolean =>
  verb === 'watch' ||
  (objectRef?.resource === 'leases' &&
    objectRef.namespace === SYSTEM_NAMESPACE &&
    [OPERATOR, CLUSTER_MANAGER].includes(objectRef.name ?? ''));

const describeCall = ({ user, verb, requestURI }: AuditEvent): string => `${user.username} ${verb} ${requestURI}`;
