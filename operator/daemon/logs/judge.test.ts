import { expect } from 'chai';
import fc from 'fast-check';
import {
  AgeProfile,
  judgeFolder,
  judgeLog,
  newSurvey,
  pressureExcess,
  survey,
  type FolderView,
  type LogView,
} from './judge.ts';
import { DAY_MS, DEFAULT_LOG_POLICY } from './policy.ts';

const now = Date.UTC(2026, 5, 1);
const policy = DEFAULT_LOG_POLICY;
const HOUR = 3_600_000;
const ago = (ms: number): Partial<LogView> => ({ modifiedAt: now - ms });
const log = (view: Partial<LogView>): LogView => ({
  name: 'postgresql-1.log',
  bytes: 100,
  modifiedAt: now,
  isNewest: false,
  isOpen: false,
  ...view,
});
const gz = { name: 'postgresql-1.log.gz' };

describe('what happens to an engine log', () => {
  for (const [what, view, cutoffs, expected] of [
    ['is fresh', ago(0), {}, 'keep'],
    ['is older than the days allow', ago(3 * DAY_MS + 1), {}, 'LogAge'],
    ['is just as old as allowed', ago(3 * DAY_MS), {}, 'Compress'],
    ['is old and the newest', { ...ago(9 * DAY_MS), isNewest: true }, {}, 'keep'],
    ['is old and open', { ...ago(9 * DAY_MS), isOpen: true }, {}, 'keep'],
    ['is old, compressed and the newest', { ...gz, ...ago(9 * DAY_MS), isNewest: true }, {}, 'LogAge'],
    ['is a day old', ago(DAY_MS + 1), {}, 'Compress'],
    ['is a day old and compressed', { ...gz, ...ago(DAY_MS + 1) }, {}, 'keep'],
    ['comes from the future', ago(-9 * DAY_MS), { sizeCutoff: now, pressureCutoff: now }, 'keep'],
    ['is beyond the size', ago(2 * HOUR), { sizeCutoff: now }, 'LogSize'],
    ['is beyond the size and about to be compressed', ago(DAY_MS + 1), { sizeCutoff: now }, 'Compress'],
    ['is beyond the size and was written a moment ago', ago(HOUR - 1), { sizeCutoff: now }, 'keep'],
    ['is beyond the size and the newest', { ...ago(2 * HOUR), isNewest: true }, { sizeCutoff: now }, 'keep'],
    ['is on a full disk', ago(2 * HOUR), { pressureCutoff: now }, 'DiskPressure'],
    ['is on a full disk, about to be compressed', ago(DAY_MS + 1), { pressureCutoff: now }, 'DiskPressure'],
    ['is on a full disk, written a moment ago', ago(HOUR - 1), { pressureCutoff: now }, 'keep'],
  ] as const) {
    it(`one that ${what}: ${expected}`, () => {
      const verdict = judgeLog(log(view), { now, policy, pressureCutoff: 0, sizeCutoff: 0, ...cutoffs });
      expect(verdict.action === 'keep' ? 'keep' : verdict.rule).to.equal(expected);
    });
  }

  it('frees what a limit asks for, oldest first, and no minute more than that takes', () =>
    fc.assert(
      fc.property(
        fc.array(fc.record({ bytes: fc.nat(1000), modifiedAt: fc.nat(10 * DAY_MS) })),
        fc.integer({ min: -10, max: 20_000 }),
        (files, excess) => {
          const profile = new AgeProfile();
          for (const file of files) profile.add(file);
          const cutoff = profile.cutoff(excess);
          const sum = (before: number): number =>
            files.filter(it => it.modifiedAt < before).reduce((all, it) => all + it.bytes, 0);
          const all = sum(Infinity);
          expect(sum(cutoff)).to.be.at.least(Math.min(all, excess));
          if (cutoff > 0) expect(sum(cutoff - 60_000)).to.be.below(excess);
        },
      ),
    ));

  it('counts for the size what stays, and not what is about to be compressed', () => {
    const found = newSurvey();
    for (const view of [ago(2 * HOUR), ago(2 * DAY_MS), ago(9 * DAY_MS), { ...ago(9 * DAY_MS), isNewest: true }])
      survey(found, log(view), { now, policy });
    expect(found.keptBytes).to.equal(200);
    expect(found.overdueBytes).to.equal(100);
    expect(found.bySize.cutoff(1)).to.be.above(now - 2 * HOUR);
    expect(found.byPressure.cutoff(1)).to.be.below(now - DAY_MS);
  });

  it('is in need of space from the high mark on, and down to the low one', () => {
    expect(pressureExcess({ totalBytes: 1000, freeBytes: 151 }, policy)).to.equal(0);
    expect(pressureExcess({ totalBytes: 1000, freeBytes: 150 }, policy)).to.equal(100);
    expect(pressureExcess({ totalBytes: 0, freeBytes: 0 }, policy)).to.equal(0);
  });
});

describe('what happens to the folder of an instance', () => {
  const old = now - 3 * DAY_MS - 1;
  for (const [what, view, expected] of [
    ['somebody names', { namedBy: 'pod db/x', orphanSince: old, newestAt: 0 }, 'keep'],
    ['nobody names, which is new', { newestAt: 0 }, 'wait'],
    ['nobody has named for an hour', { orphanSince: now - HOUR, newestAt: 0 }, 'wait'],
    ['nobody has named for long, unseen', { orphanSince: old }, 'look'],
    ['nobody has named for long', { orphanSince: old, newestAt: old }, 'set-aside'],
    ['nobody has named for long, in use', { orphanSince: old, newestAt: old, isOpen: true }, 'wait'],
    ['nobody has named for long, written to', { orphanSince: old, newestAt: now - HOUR }, 'wait'],
    ['was noted in the future', { orphanSince: now + DAY_MS, newestAt: old }, 'wait'],
  ] as const) {
    it(`one that ${what}: ${expected}`, () => {
      const folder: FolderView = { namedBy: undefined, orphanSince: undefined, ...(view as Partial<FolderView>) };
      const { action } = judgeFolder(folder, { now, policy });
      expect(action).to.equal(expected);
    });
  }
});
