import { expect } from 'chai';
import { availability, versionAvailability, wantedVersions } from './wanted.ts';

const PREFIX = 'postgresql-1-0-minor-version-info-rwo';
const open = {
  metadata: { name: `${PREFIX}-image-open` },
  data: {
    name: 'image-open',
    pgEngineImage: 'x/engine:15',
    pgManagerImage: ' x/manager:1 ',
    pfsdImage: '',
    Image: 'no',
  },
};
const own = { metadata: { name: `${PREFIX}-postgresql-15` }, data: { pgEngineImage: 'x/postgresql:15' } };
const root = { metadata: { name: `${PREFIX}-root` }, data: { latestVersion: 'image-open' } };

describe('versions that the site offers', () => {
  it('images are the values of keys with Image in them, not at their beginning', () =>
    expect(wantedVersions([open])).to.deep.equal([{ name: 'image-open', images: ['x/engine:15', 'x/manager:1'] }]));

  it('a map without a name in its data has that of its suffix; the map of the default is no version', () =>
    expect(wantedVersions([open, root, own]).map(({ name }) => name)).to.deep.equal(['image-open', 'postgresql-15']));
});

describe('availability of versions', () => {
  const versions = wantedVersions([open, own]);
  for (const [what, present, fact] of [
    [
      'nothing',
      [],
      { existing: [], missing: { 'image-open': ['x/engine:15', 'x/manager:1'], 'postgresql-15': ['x/postgresql:15'] } },
    ],
    [
      'one image of two',
      ['x/engine:15', 'x/postgresql:15'],
      { existing: ['postgresql-15'], missing: { 'image-open': ['x/manager:1'] } },
    ],
    [
      'everything',
      ['x/engine:15', 'x/manager:1', 'x/postgresql:15'],
      { existing: ['image-open', 'postgresql-15'], missing: {} },
    ],
  ] as const) {
    it(`with ${what} present`, () => expect(availability(versions, new Set(present))).to.deep.equal(fact));
  }
});

describe('the map with the versions of a host', () => {
  const now = '2026-11-21T10:00:00Z';
  const edit = versionAvailability({ existing: ['a', 'b'], missing: { c: ['x:1', 'y:1'] } });
  const data = { existingVersions: 'a,b', missingImages: 'c: x:1 y:1\n', checkTime: now };

  it('is made in the form of the original, with what is missing beside it', () =>
    expect(edit(undefined, now)).to.deep.equal({ data }));

  it('is left alone, and its time with it, while it says the same', () =>
    expect(edit({ data: { ...data, checkTime: 'earlier' } }, now)).to.equal(undefined));

  it("others' keys stay; what is missing goes when nothing is", () => {
    const all = versionAvailability({ existing: ['a', 'b', 'c'], missing: {} });
    expect(all({ data: { ...data, theirs: 'x', checkTime: 'earlier' } }, now)).to.deep.equal({
      data: { theirs: 'x', existingVersions: 'a,b,c', checkTime: now },
    });
  });

  it('no version at all is a fact, too', () =>
    expect(versionAvailability({ existing: [], missing: {} })({ data: {} }, now)).to.deep.equal({
      data: { existingVersions: '', checkTime: now },
    }));
});
