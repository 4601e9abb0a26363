import { expect } from 'chai';
import { climb, parseAttestation } from './ladder.ts';
import { formatIncarnation } from './incarnation.ts';
import type { Evidence, TerminatedContainer } from './evidence.ts';
import { AT, created, evidence, first, inc, note, reportOf, restarted, revoked, twin } from './testing/samples.ts';

const NOW = '2026-01-02T03:05:00Z';
const ENDED = '2026-01-02T03:04:50Z';
const question = { record: revoked, recordVersion: '100', now: NOW };

const container = (changes: Partial<TerminatedContainer> = {}): TerminatedContainer => ({
  containerId: note.containerId,
  startedAt: note.startedAt,
  finishedAt: ENDED,
  ...changes,
});
const podWith = (...terminated: TerminatedContainer[]): Evidence['pod'] => ({
  uid: 'pod-a',
  leaving: true,
  terminated,
});
const renewed = { leaseVersion: '101', outOfService: false };
const attested = { incarnation: first, who: 'Ada', when: AT };

describe('ladder', () => {
  for (const [what, seen, rung, at] of [
    ['the agent says stopped for this epoch', { reports: [reportOf(first, { stopped: { epoch: 2, at: AT } })] }, 1, AT],
    [
      'its container ended and left its name',
      { pod: podWith(container({ containerId: 'x', message: `${formatIncarnation(first)}\nbye` })) },
      2,
      ENDED,
    ],
    ['the noted container ended, the kubelet lives', { pod: podWith(container()), node: renewed }, 2, ENDED],
    [
      'the same pod runs another incarnation',
      { reports: [reportOf(restarted, { askedAtEpoch: 2 })], pod: undefined },
      2,
      NOW,
    ],
    ['a person attests', { attestation: attested }, 5, NOW],
    ['the node is out of service', { node: { leaseVersion: '90', outOfService: true, isSilent: true } }, 5, NOW],
    ['the node is out of service and has no Lease', { node: { outOfService: true, isSilent: true } }, 5, NOW],
    [
      'several at once: the first rung',
      { reports: [reportOf(first, { stopped: { epoch: 2, at: AT } })], attestation: attested },
      1,
      AT,
    ],
  ] as const) {
    it(`proves by rung ${rung}: ${what}`, () => {
      const result = climb(question, evidence(seen));
      if (!result.proven) throw new Error(result.missing.join());
      expect(result.fence).to.include({ rung, at, epoch: 2 });
      expect(result.fence.incarnation).to.deep.equal(first);
      expect(result.fence.evidence).to.not.equal('');
    });
  }

  for (const [what, seen, missing] of [
    ['nothing', {}, 'its agent does not answer'],
    ['no pod', { pod: undefined }, 'its pod is gone, which proves nothing'],
    [
      'the pod of a twin',
      { pod: { uid: 'pod-b', leaving: false, terminated: [container()] }, node: renewed },
      'its pod is gone, which proves nothing',
    ],
    [
      'the agent answers, not stopped',
      { reports: [reportOf(first)] },
      'its agent has not reported the engine stopped yet',
    ],
    [
      'stopped for an older epoch',
      { reports: [reportOf(first, { stopped: { epoch: 1, at: AT } })] },
      "its agent's report is of epoch 1, needed is 2",
    ],
    [
      'stopped for an epoch that the record does not know',
      { reports: [reportOf(first, { stopped: { epoch: 3, at: AT } })] },
      "its agent's report is of epoch 3, needed is 2",
    ],
    [
      'a twin says stopped',
      { reports: [reportOf(twin, { askedAtEpoch: 2, stopped: { epoch: 2, at: AT } })] },
      'its agent does not answer',
    ],
    [
      'another incarnation of the pod, asked before the revoke',
      { reports: [reportOf(restarted)] },
      'kubelet of node node-1 does not report its container ended',
    ],
    [
      'the noted container ended, but nothing says that the kubelet lives',
      { pod: podWith(container()) },
      'kubelet of node node-1 has not renewed its Lease since the revoke',
    ],
    [
      'the same, with versions that have no order',
      { pod: podWith(container()), node: { leaseVersion: 'zz', outOfService: false } },
      'kubelet of node node-1 has not renewed its Lease since the revoke',
    ],
    [
      'the noted container ended, started at another time',
      { pod: podWith(container({ startedAt: NOW })), node: renewed },
      'kubelet of node node-1 does not report its container ended',
    ],
    [
      'another container ended',
      { pod: podWith(container({ containerId: 'x' })), node: renewed },
      'kubelet of node node-1 does not report its container ended',
    ],
    [
      'the noted container was of another incarnation by its own words',
      { pod: podWith(container({ message: formatIncarnation(restarted) })), node: renewed },
      'kubelet of node node-1 does not report its container ended',
    ],
    [
      'out of service, but its kubelet renews',
      { node: { leaseVersion: '101', outOfService: true, isSilent: true } },
      'node node-1 is tainted out-of-service, but its kubelet renews its Lease',
    ],
    [
      'out of service, and the control plane still hears its kubelet',
      { node: { leaseVersion: '90', outOfService: true, isSilent: false } },
      'node node-1 is tainted out-of-service, but its Ready condition is not Unknown yet',
    ],
  ] as const) {
    it(`proves nothing: ${what}`, () => {
      const result = climb(question, evidence(seen));
      expect(result.proven ? [] : result.missing).to.include(missing);
    });
  }

  it('an attestation of another incarnation proves nothing, and the right one is spelled out', () => {
    const result = climb(question, evidence({ attestation: { ...attested, incarnation: twin } }));
    expect(result.proven ? '' : result.missing.join('\n')).to.contain(formatIncarnation(first));
  });

  it('has nobody to prove without a revoke', () =>
    expect(() => climb({ ...question, record: created }, evidence())).to.throw('no former holder'));

  it('reads an attestation with the name of the person', () => {
    const value = `${formatIncarnation(first)}  Ada Lovelace `;
    expect(parseAttestation(value, AT)).to.deep.equal({
      incarnation: inc('1', 'pod-a', '1'),
      who: 'Ada Lovelace',
      when: AT,
    });
    expect(parseAttestation(formatIncarnation(first), AT)).to.equal(undefined);
    expect(parseAttestation('yes it is', AT)).to.equal(undefined);
  });
});
