import { expect } from 'chai';
import type { MemberReport } from './evidence.ts';
import { decide, type GroupView } from './decide.ts';
import { grant, recordFence, type FenceRecord, type GroupRecord } from './record.ts';
import {
  AT,
  created,
  evidence,
  first,
  granted,
  must,
  note,
  other,
  reportOf,
  restarted,
  revoked,
  twin,
  UID,
} from './testing/samples.ts';

const fence: FenceRecord = { incarnation: first, epoch: 2, rung: 1, evidence: 'it says so', at: AT };
const fenced = must(recordFence(revoked, fence));
const again = must(grant(fenced, { to: restarted, note, members: [], k: 0 }));

const serving: MemberReport['engine'] = { state: 'running', role: 'rw', acceptsWrites: true };
const now2 = { askedAtEpoch: 2 };

function viewOf(record: GroupRecord | undefined, changes: Partial<GroupView> = {}): GroupView {
  const recorded = record && { record, version: '100' };
  return {
    clusterUid: UID,
    wanted: 'running',
    first: '1',
    established: true,
    recorded,
    evidence: evidence(),
    now: AT,
    ...changes,
  };
}
const withReports = (...reports: MemberReport[]): Partial<GroupView> => ({ evidence: evidence({ reports }) });

const blank = { volume: { state: 'blank' } } as const;
const foreign = { volume: { state: 'initialized', clusterUid: 'x' } } as const;
const engine = (state: MemberReport['engine']['state'], role?: 'rw' | 'ro'): Partial<MemberReport> => ({
  engine: { state, role, acceptsWrites: false },
});
const dead = evidence({
  pod: { uid: 'pod-a', leaving: false, terminated: [{ ...note, finishedAt: AT }] },
  node: { leaseVersion: '101', outOfService: false },
});

describe('decision for a group without failover', () => {
  for (const [what, view, expected] of [
    // First creation
    ['no record yet', viewOf(undefined, { established: false }), 'create'],
    [
      'no record, but a volume of this cluster',
      viewOf(undefined, { established: false, ...withReports(reportOf(first)) }),
      'RecordLost',
    ],
    ['no record of a cluster that ran', viewOf(undefined), 'RecordLost'],
    ['no record and wanted stopped', viewOf(undefined, { established: false, wanted: 'stopped' }), 'nothing'],
    ['record lost and wanted stopped: pods go by their own proof', viewOf(undefined, { wanted: 'stopped' }), 'nothing'],
    [
      'leftover volume of another cluster is not the reason to wait',
      viewOf(undefined, { established: false, ...withReports(reportOf(first, foreign)) }),
      'create',
    ],
    ['its agent is not up yet', viewOf(created), 'InstanceDown'],
    ['blank volume', viewOf(created, withReports(reportOf(first, blank))), 'initialize'],
    [
      'image without the engine: nothing is made',
      viewOf(
        created,
        withReports(reportOf(first, { ...blank, engine: { ...engine('stopped').engine!, problem: 'none' } })),
      ),
      'EngineUnfit',
    ],
    [
      'interrupted initdb',
      viewOf(created, withReports(reportOf(first, { volume: { state: 'partial' } }))),
      'initialize',
    ],
    ['foreign volume', viewOf(created, withReports(reportOf(first, foreign))), 'VolumeUnusable'],
    ['another instance is not granted first', viewOf(created, withReports(reportOf(other))), 'InstanceDown'],
    [
      'initialized, container not known yet',
      viewOf(created, withReports(reportOf(first, { container: undefined }))),
      'ContainerUnknown',
    ],
    ['initialized', viewOf(created, withReports(reportOf(first))), 'grant'],
    ['never granted and wanted stopped', viewOf(created, { wanted: 'stopped' }), 'nothing'],
    // Holder
    ['holder not promoted', viewOf(granted, withReports(reportOf(first))), 'promote'],
    ['holder runs as follower', viewOf(granted, withReports(reportOf(first, engine('running', 'ro')))), 'promote'],
    ['holder starts', viewOf(granted, withReports(reportOf(first, engine('starting', 'rw')))), 'EngineStarting'],
    [
      'holder whose new image lacks the engine',
      viewOf(
        granted,
        withReports(reportOf(first, { engine: { ...engine('crashed', 'rw').engine!, problem: 'none' } })),
      ),
      'EngineUnfit',
    ],
    ['holder crashed', viewOf(granted, withReports(reportOf(first, engine('crashed', 'rw')))), 'EngineCrashed'],
    ['holder stops', viewOf(granted, withReports(reportOf(first, engine('stopping', 'rw')))), 'EngineStopping'],
    ['holder lost its volume', viewOf(granted, withReports(reportOf(first, blank))), 'HolderMayNotRun'],
    ['holder serves, not published', viewOf(granted, withReports(reportOf(first, { engine: serving }))), 'publish'],
    [
      'holder serves, its predecessor is published',
      viewOf(again, { published: first, ...withReports(reportOf(restarted, { engine: serving })) }),
      'publish',
    ],
    [
      'all well',
      viewOf(granted, { published: first, ...withReports(reportOf(first, { engine: serving })) }),
      'nothing',
    ],
    ['holder silent', viewOf(granted), 'HolderSilent'],
    // Revoke
    ['agent restarted in the same pod', viewOf(granted, withReports(reportOf(restarted))), 'revoke'],
    ['pod made again', viewOf(granted, withReports(reportOf(twin))), 'revoke'],
    [
      'pod being deleted, agent answers',
      viewOf(granted, withReports(reportOf(first, { leaving: true, engine: serving }))),
      'revoke',
    ],
    [
      'pod being deleted, agent silent',
      viewOf(granted, { evidence: evidence({ pod: { uid: 'pod-a', leaving: true, terminated: [] } }) }),
      'revoke',
    ],
    ['pod gone', viewOf(granted, { evidence: evidence({ pod: undefined }) }), 'revoke'],
    ['container ended', viewOf(granted, { evidence: dead }), 'revoke'],
    ['node out of service', viewOf(granted, { evidence: evidence({ node: { outOfService: true } }) }), 'revoke'],
    [
      'attested',
      viewOf(granted, { evidence: evidence({ attestation: { incarnation: first, who: 'Ada', when: AT } }) }),
      'revoke',
    ],
    [
      'attestation of another',
      viewOf(granted, { evidence: evidence({ attestation: { incarnation: twin, who: 'Ada', when: AT } }) }),
      'HolderSilent',
    ],
    [
      'wanted stopped',
      viewOf(granted, { wanted: 'stopped', ...withReports(reportOf(first, { engine: serving })) }),
      'revoke',
    ],
    // Ladder
    ['former silent', viewOf(revoked, withReports(reportOf(twin, now2))), 'FormerNotProven'],
    ['former answers and runs', viewOf(revoked, withReports(reportOf(first, { ...now2, engine: serving }))), 'demote'],
    [
      'former stops by this command',
      viewOf(revoked, withReports(reportOf(first, { ...now2, ...engine('stopping', 'rw'), highestEpoch: 2 }))),
      'FormerStopping',
    ],
    [
      'former stops by itself',
      viewOf(revoked, withReports(reportOf(first, { ...now2, ...engine('stopping', 'rw'), highestEpoch: 1 }))),
      'demote',
    ],
    ['proven, nobody to grant: kept before it goes', viewOf(revoked, { evidence: dead }), 'recordFence'],
    [
      'proven, candidate not ready: kept',
      viewOf(revoked, withReports(reportOf(restarted, { ...now2, container: undefined }))),
      'recordFence',
    ],
    [
      'proven and wanted stopped: kept',
      viewOf(revoked, {
        wanted: 'stopped',
        ...withReports(reportOf(first, { ...now2, stopped: { epoch: 2, at: AT } })),
      }),
      'recordFence',
    ],
    ['proven by its successor', viewOf(revoked, withReports(reportOf(restarted, now2))), 'grant'],
    ['proof recorded, a new pod answers', viewOf(fenced, withReports(reportOf(twin, now2))), 'grant'],
    ['proof recorded, the same incarnation comes back', viewOf(fenced, withReports(reportOf(first, now2))), 'grant'],
    [
      'proof recorded, its volume came back blank',
      viewOf(fenced, withReports(reportOf(twin, { ...now2, ...blank }))),
      'VolumeUnusable',
    ],
    ['proof recorded, only others alive', viewOf(fenced, withReports(reportOf(other, now2))), 'FailoverUnavailable'],
    ['proof recorded, nobody alive', viewOf(fenced), 'InstanceDown'],
    [
      'proof recorded, candidate leaves',
      viewOf(fenced, withReports(reportOf(twin, { ...now2, leaving: true }))),
      'InstanceDown',
    ],
    [
      'proof recorded, two incarnations answer',
      viewOf(fenced, withReports(reportOf(twin, now2), reportOf(restarted, now2))),
      'TwoIncarnations',
    ],
    // Stopped
    ['stopped and still published', viewOf(fenced, { wanted: 'stopped', published: first }), 'withdraw'],
    ['stopped', viewOf(fenced, { wanted: 'stopped' }), 'nothing'],
    // Not ours to decide
    ['record of another cluster', viewOf({ ...granted, clusterUid: 'x' }), 'ForeignRecord'],
    [
      'an agent knows a later epoch',
      viewOf(granted, withReports(reportOf(other, { highestEpoch: 2 }))),
      'RecordBehind',
    ],
    [
      'a volume knows a later epoch',
      viewOf(granted, withReports(reportOf(first, { volume: { state: 'initialized', clusterUid: UID, epoch: 2 } }))),
      'RecordBehind',
    ],
    ['members in E', viewOf({ ...granted, members: [{ incarnation: other, pending: true }] }), 'ClusterManagerNeeded'],
  ] as const) {
    it(`${what}: ${expected}`, () => {
      const { action } = decide(view);
      expect(action.do === 'wait' ? action.reason : action.do).to.equal(expected);
    });
  }

  it('a grant carries the proof, the container and the holder in one write', () => {
    const { action } = decide(viewOf(revoked, withReports(reportOf(restarted, now2))));
    if (action.do !== 'grant') throw new Error(action.do);
    expect(action.record).to.deep.include({ epoch: 2, holder: restarted, grant: note, k: 0, members: [] });
    expect(action.record.fence).to.include({ rung: 2, epoch: 2 });
  });

  it('a wait for proof tells the person what is missing and what to do', () => {
    const { action, policy } = decide(viewOf(revoked));
    expect(policy).to.equal('ProveFormer');
    expect(action.do === 'wait' && action.message)
      .to.contain('does not answer')
      .and.contain('out-of-service');
  });
});
