import { expect } from 'chai';
import { decide } from './decide.ts';
import { formatIncarnation, type Incarnation } from './incarnation.ts';
import {
  allWell,
  follower,
  groupView,
  held,
  rw,
  rwAgain,
  stopped,
  taken,
  three,
  two,
  writer,
  type GroupChanges,
} from './testing/group.ts';
import { off, blank, firstSlots, fresh, share, table } from './testing/group-cases.ts';
import { AT, inc } from './testing/samples.ts';

describe('decisions of the cluster manager', () => {
  describe('a group that is well', () => {
    table([
      ['nothing to do', { done: [firstSlots] }, []],
      ['slots are made once per leader', {}, ['slots 1']],
      ['a new leader stamps its term first', { leader: { since: 0 } }, ['stamp']],
      ['a leader whose term was overtaken does nothing', { leader: { since: 0, term: 6 } }, ['LeadershipLost']],
      ['a record of another cluster', { record: { ...held, clusterUid: 'x' } }, ['ForeignRecord']],
    ]);
  });

  describe('first creation', () => {
    table([
      ['no record', { ...fresh, recorded: undefined, reports: [] }, ['create']],
      [
        'record, blank volume',
        { ...fresh, reports: [follower(rw, { volume: blank, engine: off, highestEpoch: 0 })] },
        ['initialize 1'],
      ],
      [
        'initialized',
        {
          ...fresh,
          reports: [follower(rw, { engine: off, highestEpoch: 1, volume: { ...stopped().volume, epoch: 0 } })],
        },
        ['grant'],
      ],
      [
        'somebody was RW: the record is of before the first grant',
        {
          ...fresh,
          reports: [follower(rw, { engine: off, highestEpoch: 1, volume: { ...stopped().volume, epoch: 1 } })],
        },
        ['RecordBehind'],
      ],
      ['its agent is not up', { ...fresh, reports: [] }, ['InstanceDown']],
      [
        'another instance does not begin',
        { ...fresh, reports: [follower(two, { volume: blank, highestEpoch: 0 })] },
        ['InstanceDown'],
      ],
    ]);
  });

  describe('a record that was lost or came back older', () => {
    const lost: GroupChanges = { recorded: undefined };
    const older = { ...held, epoch: 4 };
    const others = allWell.slice(1);
    const single: GroupChanges = { instances: groupView().instances.slice(0, 1) };
    const reigned = (holder?: Incarnation): GroupChanges => {
      const volume = { ...writer().volume, epoch: 6, ...(holder && { holder }) };
      return { recorded: undefined, reports: [follower(rw, { engine: off, volume }), ...others] };
    };
    const lastOne = reigned(rw).reports![0]!;
    const filled = [two, three].map(it => follower(it, { engine: off, volume: { ...writer().volume, epoch: 6 } }));
    const twin = inc('1', 'pod-9', 'f');
    const ended = { containerId: 'x', startedAt: AT, finishedAt: AT, message: formatIncarnation(twin) };
    const podOfTwin = (message: string): GroupChanges['evidence'] => ({
      pods: [{ uid: 'pod-9', leaving: true, terminated: [{ ...ended, message }] }],
    });
    const attested = (incarnation: Incarnation): GroupChanges['evidence'] => ({
      attestation: { incarnation, who: 'ann', when: AT },
    });
    const goneGrant: GroupChanges = { record: { ...taken(), epoch: 5 }, memory: { newest: held } };
    table([
      ['lost: all answer, one is RW', lost, ['rebuild']],
      ['lost: one does not answer', { ...lost, reports: allWell.slice(0, 2) }, ['RecordLost']],
      [
        'lost: two are RW',
        { ...lost, reports: [writer(), writer({ incarnation: two }), follower(three)] },
        ['RecordLost'],
      ],
      ['lost: nobody is RW, and nobody knows who was', { ...lost, reports: [follower(rw), ...others] }, ['RecordLost']],
      ['lost: nobody is RW, the last one has stopped', { ...lost, reports: [lastOne, ...others] }, ['rebuild']],
      ['... and the others were filled in its reign', { ...lost, reports: [lastOne, ...filled] }, ['rebuild']],
      [
        '... and nobody tells who of them was RW',
        { ...lost, reports: [reigned().reports![0]!, ...filled] },
        ['RecordLost'],
      ],
      ['... in an earlier container of its pod', reigned(rwAgain), ['rebuild']],
      ['... and its volume does not tell which start of it was RW', reigned(), ['RecordLost']],
      ['... as the pod before this one, of which nobody knows whether it ended', reigned(twin), ['RecordLost']],
      ['... which says so itself', { ...reigned(twin), evidence: podOfTwin(ended.message) }, ['rebuild']],
      [
        '... where only a later container said so',
        { ...reigned(twin), evidence: podOfTwin(formatIncarnation(inc('1', 'pod-9', '1'))) },
        ['RecordLost'],
      ],
      ['... which a person says is dead', { ...reigned(twin), evidence: attested(twin) }, ['rebuild']],
      ['... and a person speaks of another one', { ...reigned(twin), evidence: attested(rw) }, ['RecordLost']],
      [
        '... and nobody was RW yet',
        { ...lost, ...single, reports: [follower(rw, { engine: off, volume: { ...writer().volume, epoch: 0 } })] },
        ['rebuild'],
      ],
      [
        '... on a volume that a later one may have had before',
        { ...lost, reports: [lastOne, follower(two, { volume: blank }), follower(three)] },
        ['RecordLost'],
      ],
      [
        '... and follows another by now: it may hold less than it did',
        { ...lost, reports: [{ ...lastOne, engine: follower(two).engine }, ...others] },
        ['RecordLost'],
      ],
      ['... on a shared volume', { ...lost, ...share, reports: [lastOne, ...others] }, ['RecordLost']],
      [
        'lost: the RW is not of the latest epoch',
        { ...lost, reports: [writer(), follower(two, { highestEpoch: 6 }), follower(three)] },
        ['RecordLost'],
      ],
      [
        'new, on a volume that an agent of another cluster kept its epochs on',
        {
          ...fresh,
          recorded: undefined,
          reports: [
            follower(rw, {
              engine: off,
              volume: { state: 'foreign', clusterUid: 'another', epoch: 7 },
              highest: { clusterUid: 'another', epoch: 7, term: 1, generation: 1 },
              highestEpoch: 7,
            }),
          ],
        },
        ['create'],
      ],
      ['lost and wanted stopped', { ...lost, wanted: 'stopped', published: undefined }, []],
      ['older', { record: older }, ['rebuild']],
      ['this process has seen the grant that is gone', { ...goneGrant, reports: [] }, ['RecordBehind']],
      ['... and all answer', goneGrant, ['rebuild']],
      [
        'of a former cluster of this name',
        { memory: { newest: { ...held, clusterUid: 'x', epoch: 9 } }, done: [firstSlots] },
        [],
      ],
      ['older, one does not answer', { record: older, reports: allWell.slice(0, 2) }, ['RecordBehind']],
    ]);

    it('the new one is of an epoch and a generation that nobody has seen, and names nobody', () => {
      const [action] = decide(groupView(lost)).actions;
      expect(action).to.have.property('record').that.includes({ epoch: 6, generation: 4 }).and.not.property('holder');
      expect(action).to.have.nested.property('record.former.incarnation', rw);
    });
  });
});
