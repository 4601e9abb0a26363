import { expect } from 'chai';
import type { RequestVerdict } from '../ha/action.ts';
import type { MPDOperationSpecInput } from '../../crds/mpdoperation.ts';
import type { OperationRecord } from '../workflow/record.ts';
import type { RawOperation } from '../kinds/mpd.ts';
import type { GroupRecord } from '../ha/record.ts';
import { askedFor, journalAfter, journalCancelled, type Life } from './requests.ts';
import { granted, revoked } from './testing/samples.ts';

const NOW = '2026-01-01T00:00:09.000Z';

function operation(
  name: string,
  spec: Omit<MPDOperationSpecInput, 'target'>,
  status: Partial<OperationRecord> = {},
): RawOperation {
  const creationTimestamp = `2026-01-01T00:00:0${name}Z`;
  return {
    apiVersion: 'mpd.polardb.aliyun.com/v1',
    kind: 'MPDOperation',
    metadata: { name, namespace: 'shop', uid: `uid-${name}`, creationTimestamp },
    spec: { target: { name: 'orders' }, ...spec },
    status: status as NonNullable<RawOperation['status']>,
  };
}
const switchover = (name: string, status?: Partial<OperationRecord>) =>
  operation(name, { type: 'switchRw', switchRw: { instance: '1002' } }, status);
const force = (name: string) => operation(name, { type: 'forceFailover', forceFailover: { acceptDataLoss: true } });
const restart = (name: string, status?: Partial<OperationRecord>) =>
  operation(name, { type: 'restartCluster' }, status);

const begun = (name: string) => switchover(name, { phase: 'Running', data: { epoch: '4' } });

const life: Life = { since: '2026-01-01T00:00:00Z', record: granted };

describe('what is asked for', () => {
  for (const [what, operations, found] of [
    ['nothing', [], undefined],
    ['the oldest switchover', [switchover('2'), switchover('1')], 'uid-1'],
    ['nothing while another operation has its turn', [restart('1'), switchover('2')], undefined],
    ['nothing while another operation has begun', [switchover('1'), restart('2', { phase: 'Running' })], undefined],
    [
      'the next in turn behind one that is interrupted',
      [restart('1', { phase: 'Interrupted' }), switchover('2')],
      'uid-2',
    ],
    [
      'the one that was accepted, though another was resumed',
      [restart('1', { phase: 'Running' }), begun('2')],
      'uid-2',
    ],
    ['a forced failover before all others', [restart('1', { phase: 'Running' }), force('2')], 'uid-2'],
    ['nothing that is finished', [switchover('1', { phase: 'Failed' })], undefined],
  ] as const) {
    it(what, () => expect(askedFor(operations, life)?.request?.id).to.equal(found));
  }

  it('tells target, who asked, and the epoch in which it was accepted', () => {
    const accepted = switchover('1', { phase: 'Running', data: { epoch: '4' } });
    expect(askedFor([accepted], life)?.request).to.deep.equal({
      kind: 'switchover',
      id: 'uid-1',
      by: 'user',
      target: '1002',
      acceptedEpoch: 4,
    });
    expect(askedFor([force('1')], life)?.request).to.deep.equal({ kind: 'force', id: 'uid-1', by: 'user' });
  });

  const moveAway = { type: 'switchRw', switchRw: { instance: '1002' } } as const;
  const byForce = { type: 'forceFailover', forceFailover: { acceptDataLoss: true } } as const;
  const at = (epoch: number, record: GroupRecord): GroupRecord => ({ ...record, epoch });
  for (const [what, spec, epoch, record, expected] of [
    ['a switchover that nobody has accepted', moveAway, undefined, at(4, granted), true],
    ['... while the record is lost', moveAway, undefined, undefined, true],
    ['one that is accepted, before the RW loses its right', moveAway, '4', at(4, granted), true],
    ['one for which the RW has lost its right', moveAway, '4', at(5, revoked), false],
    ['a failover by force that waits for proof', byForce, '4', at(5, revoked), true],
    ['one that has a new RW', byForce, '4', at(5, granted), false],
  ] as const) {
    it(`${expected ? 'can' : 'cannot'} be called off: ${what}`, () => {
      const asked = (cancelled: boolean) =>
        askedFor([operation('1', { ...spec, cancelled }, { phase: 'Running', data: epoch ? { epoch } : {} })], {
          ...life,
          record,
        });
      const { request, calledOff } = asked(true)!;
      expect([request === undefined, calledOff]).to.deep.equal([
        expected,
        expected ? 'cancelled on request' : undefined,
      ]);
      expect(asked(false)?.calledOff).to.equal(undefined);
    });
  }

  it('is over with the cluster that it was asked of: another one of that name may be older in epochs', () => {
    const found = askedFor([begun('1')], { ...life, since: '2026-01-01T00:00:02Z' });
    expect(found?.request).to.equal(undefined);
    expect(found?.calledOff).to.equal('it was made for a former cluster of this name');
    expect(askedFor([begun('1')], { ...life, since: '2026-01-01T00:00:01Z' })?.request?.id).to.equal('uid-1');
  });
});

describe('journal of a switchover', () => {
  const verdict = (outcome: RequestVerdict['outcome']): RequestVerdict => ({
    id: 'uid-1',
    outcome,
    epoch: 4,
    target: '1002',
    reason: 'Why',
    message: 'because',
  });

  it('is announced with its epoch before anything is done', () => {
    const journal = journalAfter(switchover('1'), verdict('accepted'), NOW);
    expect(journal).to.deep.include({ phase: 'Running', startedAt: NOW, data: { epoch: '4', target: '1002' } });
    expect(journal.finishedAt).to.equal(undefined);
  });

  for (const [outcome, phase] of [
    ['done', 'Succeeded'],
    ['failed', 'Failed'],
    ['refused', 'Failed'],
  ] as const) {
    it(`${outcome} ends it as ${phase}, with the reason`, () => {
      const running = switchover('1', { phase: 'Running', startedAt: 'then', data: { epoch: '4' } });
      const journal = journalAfter(running, verdict(outcome), NOW);
      expect(journal).to.include({ phase, reason: 'Why', message: 'because', startedAt: 'then', finishedAt: NOW });
      expect(journal.steps).to.have.length(1);
    });
  }

  it('is closed when it was called off', () =>
    expect(journalCancelled(switchover('1'), 'why', NOW)).to.include({
      phase: 'Cancelled',
      message: 'why',
      finishedAt: NOW,
    }));
});
