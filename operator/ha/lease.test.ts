import { expect } from 'chai';
import fc from 'fast-check';
import { formatRecord, parseRecord, RecordError, RECORD_ANNOTATION, type LeaseObject } from './lease.ts';
import type { GroupRecord } from './record.ts';
import { AT, created, first, granted, note, other, revoked } from './testing/samples.ts';

const bare: LeaseObject = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: {
    name: 'orders-primary',
    namespace: 'shop',
    resourceVersion: '7',
    labels: { a: 'b' },
    annotations: { c: 'd' },
  },
  spec: { leaseDurationSeconds: 9 },
};

const withJson = (change: (json: Record<string, unknown>) => void, record: GroupRecord = granted): LeaseObject => {
  const lease = formatRecord(record, bare);
  const json = JSON.parse(lease.metadata.annotations?.[RECORD_ANNOTATION] ?? '') as Record<string, unknown>;
  change(json);
  lease.metadata.annotations = { [RECORD_ANNOTATION]: JSON.stringify(json) };
  return lease;
};

const fieldOf = (lease: LeaseObject): string => {
  try {
    parseRecord(lease);
  } catch (error) {
    if (error instanceof RecordError) return error.field.replace(`metadata.annotations["${RECORD_ANNOTATION}"]`, '@');
    throw error;
  }
  return 'none';
};

describe('record as a Lease', () => {
  it('reads what it writes', () => {
    const fence = { incarnation: first, epoch: 2, rung: 2, evidence: 'kubelet', at: AT } as const;
    const members = [{ incarnation: other, pending: true }];
    for (const record of [created, granted, revoked, { ...revoked, fence, members, k: 1, term: 4, generation: 8 }]) {
      expect(parseRecord(formatRecord(record, bare))).to.deep.equal(record);
    }
  });

  it('shows holder and epoch where people look, and keeps the rest of the object', () => {
    const lease = formatRecord(granted, bare);
    expect(lease.spec).to.deep.equal({
      leaseDurationSeconds: 9,
      holderIdentity: '1/pod-a/0000000000000001',
      leaseTransitions: 1,
    });
    expect(lease.metadata).to.deep.include({ resourceVersion: '7', labels: { a: 'b' } });
    expect(lease.metadata.annotations).to.include({ c: 'd' });
    expect(formatRecord(revoked, lease).spec?.holderIdentity).to.equal('');
  });

  for (const [what, lease, field] of [
    ['no spec', { ...bare, spec: undefined }, 'spec.leaseTransitions'],
    ['epoch 0', { ...formatRecord(created, bare), spec: { leaseTransitions: 0 } }, 'spec.leaseTransitions'],
    [
      'a holder of another form',
      { ...bare, spec: { leaseTransitions: 1, holderIdentity: 'me' } },
      'spec.holderIdentity',
    ],
    ['no annotation', { ...bare, spec: { leaseTransitions: 1 } }, '@'],
    [
      'an annotation that is not JSON',
      {
        ...bare,
        metadata: { ...bare.metadata, annotations: { [RECORD_ANNOTATION]: '{' } },
        spec: { leaseTransitions: 1 },
      },
      '@',
    ],
    ['no cluster UID', withJson(json => delete json.clusterUid), '@.clusterUid'],
    ['term 0', withJson(json => (json.term = 0)), '@.term'],
    ['half a generation', withJson(json => (json.generation = 1.5)), '@.generation'],
    ['a field of a later release', withJson(json => (json.more = 1)), '@'],
    [
      'a member of another form',
      withJson(json => (json.members = [{ incarnation: 'x', pending: false }])),
      '@.members.0.incarnation',
    ],
    ['k above the members', withJson(json => (json.k = 1)), 'k'],
    ['a start that is no time', withJson(json => (json.grant = { ...note, startedAt: 'now' })), '@.grant.startedAt'],
    ['a holder without grant', withJson(json => delete json.grant), 'grant'],
    [
      'a former holder beside a holder',
      withJson(json => (json.former = { incarnation: '1/p/0000000000000001', grant: note, revokedAt: AT })),
      'former',
    ],
    ['a later epoch without former holder', withJson(json => delete json.former, revoked), 'former'],
    [
      'rung 6',
      withJson(json => (json.fence = { incarnation: '1/p/0000000000000001', epoch: 1, rung: 6, evidence: '', at: AT })),
      '@.fence.rung',
    ],
    [
      'a proof of another epoch',
      withJson(json => (json.fence = { incarnation: '1/p/0000000000000001', epoch: 3, rung: 1, evidence: '', at: AT })),
      'fence.epoch',
    ],
  ] as const) {
    it(`refuses ${what} and names the field`, () => expect(fieldOf(lease)).to.equal(field));
  }

  it('throws nothing but RecordError whatever stands there', () => {
    fc.assert(
      fc.property(fc.json(), fc.string(), fc.option(fc.double()), (json, holderIdentity, epoch) => {
        const metadata = { ...bare.metadata, annotations: { [RECORD_ANNOTATION]: json } };
        const spec = { holderIdentity, leaseTransitions: epoch ?? 1 };
        expect(fieldOf({ ...bare, metadata, spec })).to.be.a('string');
      }),
    );
  });
});
