import { expect } from 'chai';
import { doubtfulFrom, noRecordWatch, onKnown, onShown, UNSHOWN_MS, type RecordWatch } from './record-watch.ts';

/** `knows 7` at the moment of its place, `shows 7`, `shows nothing`. */
type Happening = readonly ['knows' | 'shows', string | undefined];

/** @returns the news among what was shown, and when the record becomes doubtful */
function after(happenings: readonly Happening[]): { news: (string | undefined)[]; from: number | undefined } {
  const news: (string | undefined)[] = [];
  let state: RecordWatch = noRecordWatch;
  happenings.forEach(([what, version], now) => {
    if (what === 'knows') state = onKnown(state, version, now);
    else {
      const { watch, isNews } = onShown(state, version);
      state = watch;
      if (isNews) news.push(version);
    }
  });
  return { news, from: doubtfulFrom(state) };
}

const knows = (version?: string): Happening => ['knows', version];
const shows = (version?: string): Happening => ['shows', version];

describe('what a leader knows of the record, and what the watch shows', () => {
  const cases: [what: string, happenings: Happening[], news: (string | undefined)[], from: number | undefined][] = [
    ['nothing', [], [], undefined],
    ['a write that the watch shows', [knows('7'), shows('7')], [], undefined],
    ['a read of what the watch showed', [shows('7'), knows('7')], ['7'], undefined],
    ['two writes, shown late', [knows('7'), knows('8'), shows('7'), shows('8')], [], undefined],
    ['two writes, of which the last is not shown', [knows('7'), knows('8'), shows('7')], [], 1 + UNSHOWN_MS],
    ['somebody else wrote', [knows('7'), shows('7'), shows('9')], ['9'], undefined],
    ['the store went back', [knows('7'), shows('7'), knows('8'), shows('8'), shows('7')], ['7'], undefined],
    ['it went back unseen', [knows('7'), shows('7'), knows('8'), shows('7')], [], 2 + UNSHOWN_MS],
    ['and was read', [knows('7'), shows('7'), knows('8'), shows('7'), knows('7')], [], undefined],
    ['it is gone', [knows('7'), shows('7'), shows()], [undefined], undefined],
    ['it is read as gone', [knows('7'), shows('7'), knows()], [], 2 + UNSHOWN_MS],
  ];
  for (const [what, happenings, news, from] of cases) {
    it(what, () => expect(after(happenings)).to.deep.equal({ news, from }));
  }
});
