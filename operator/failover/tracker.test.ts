import { expect } from 'chai';
import { DEFAULT_OPTIONS } from '../ha/options.ts';
import { grant } from '../ha/record.ts';
import type { GroupRecord } from '../ha/record.ts';
import type { GroupView } from '../ha/view.ts';
import type { EventNote } from '../kube/events.ts';
import { buildSwitchLog, readSwitches, type SwitchEntry } from './history.ts';
import { granted, must, note, one, reportOf, revoked, targetFor, two, UID } from './testing/samples.ts';
import { SwitchTracker } from './tracker.ts';

const fence = { incarnation: one, epoch: revoked.epoch, rung: 1, evidence: 'its agent said so', at: '' } as const;
const successor = must(grant(revoked, { to: two, note, members: [], k: 0, fence }));
const iso = (ms: number): string => new Date(Date.UTC(2026, 0, 1) + ms).toISOString();
const moment = (ms: number) => ({ ms, iso: iso(ms) });

/** What the tracker looks at. */
function view(record: GroupRecord, now: number, change: Partial<GroupView> = {}): GroupView {
  const known = { recorded: { record, version: '1' }, now, at: iso(now), options: DEFAULT_OPTIONS, wanted: 'running' };
  return {
    clusterUid: UID,
    evidence: { reports: [], pods: [], probes: [] },
    ...known,
    ...change,
  } as unknown as GroupView;
}
const serving = (who: typeof one, heardAt: number): Partial<GroupView> => ({
  evidence: {
    reports: [{ incarnation: who, heardAt, engine: { state: 'running', role: 'rw', acceptsWrites: true } }],
    pods: [],
    probes: [],
  } as unknown as GroupView['evidence'],
});

describe('story of a change of the RW', () => {
  let notes: EventNote[];
  let entries: SwitchEntry[];
  let tracker: SwitchTracker;

  const heard = (at: number, acceptsWrites: boolean): void =>
    tracker.heard(
      { incarnation: one, report: reportOf(one, { engine: { state: 'running', acceptsWrites } }), at },
      granted,
    );
  const wrote = (what: 'revoke' | 'grant', before: GroupRecord, record: GroupRecord, at: number): void =>
    tracker.wrote({ do: what, record, message: 'its engine exited' }, 'EngineDied', view(before, at - 5), moment(at));

  beforeEach(() => {
    notes = [];
    entries = [];
    tracker = new SwitchTracker({ name: 'orders', event: it => notes.push(it), ended: it => entries.push(it) });
  });

  it('is told in Events and ends as one entry with all its parts', () => {
    heard(1_000, true);
    heard(2_000, false);
    wrote('revoke', granted, revoked, 2_010);
    wrote('grant', revoked, successor, 2_100);
    tracker.looked(view(successor, 2_200, serving(two, 2_190)));
    tracker.published(view(successor, 2_200), moment(2_230));
    expect(entries).to.deep.equal([
      {
        epoch: 2,
        cause: 'EngineDied',
        why: 'its engine exited',
        from: '1001',
        to: '1002',
        rung: 1,
        evidence: 'its agent said so',
        startedAt: iso(2_000),
        partsMs: { detect: 5, revoke: 5, fence: 90, grant: 0, promote: 100, publish: 30 },
        gapMs: 230,
      },
    ]);
    const reasons = ['FailoverStarted', 'Fenced', 'Promoted', 'WriterPublished', 'FailoverCompleted'];
    expect(notes.map(it => it.reason)).to.deep.equal(reasons);
  });

  it('begins with the last word of an RW that went silent', () => {
    tracker.wrote(
      { do: 'revoke', record: revoked, message: 'silent' },
      'Silent',
      view(granted, 9_000, serving(one, 7_000)),
      moment(9_010),
    );
    wrote('grant', revoked, successor, 9_100);
    tracker.published(view(successor, 9_200), moment(9_200));
    expect(entries[0]).to.include({ startedAt: iso(7_000), gapMs: 2_200 });
  });

  it('a first publication, and a stop that was asked for, are no switches', () => {
    tracker.published(view(granted, 100), moment(100));
    tracker.wrote(
      { do: 'revoke', record: revoked, message: 'not wanted' },
      'Unwanted',
      view(granted, 200, { wanted: 'stopped' }),
      moment(200),
    );
    tracker.published(view(successor, 300), moment(300));
    expect(entries).to.deep.equal([]);
  });

  it('tells what a forced grant may have lost until another grant', () => {
    const forced = { do: 'grant', record: successor, message: '', loss: '3 bytes' } as const;
    tracker.wrote(forced, 'p', view(revoked, 100), moment(110));
    expect(tracker.loss).to.equal('3 bytes');
    wrote('revoke', granted, revoked, 200);
    wrote('grant', revoked, successor, 300);
    expect(tracker.loss).to.equal(undefined);
  });

  it('is left to the next leader', () => {
    wrote('revoke', granted, revoked, 100);
    tracker.forget();
    tracker.published(view(successor, 300), moment(300));
    expect(entries).to.deep.equal([]);
  });
});

describe('log of switches', () => {
  const entry = (epoch: number): SwitchEntry => ({ epoch, cause: 'c', why: 'w', startedAt: '', partsMs: {} });
  const target = targetFor();

  it('keeps the newest 20, newest first, each epoch once', () => {
    let map = buildSwitchLog(target, [], entry(1));
    for (let epoch = 2; epoch <= 25; epoch++) map = buildSwitchLog(target, readSwitches(map), entry(epoch));
    map = buildSwitchLog(target, readSwitches(map), entry(25));
    expect(readSwitches(map).map(it => it.epoch)).to.deep.equal(Array.from({ length: 20 }, (_, i) => 25 - i));
  });

  it('a map that is spoilt holds none', () => expect(readSwitches({ data: { switches: 'oh' } })).to.deep.equal([]));
});
