import { expect } from 'chai';
import type { SettingsMap } from '../../settings/types.ts';
import type { FactContent, FactEdit } from '../fact-map.ts';
import type { PresentImage } from './cri.ts';
import type { VersionsFact } from './fact.ts';
import { VersionsJob } from './job.ts';

const versionOf = (name: string, ...images: string[]): SettingsMap => ({
  metadata: { name: `postgresql-1-0-minor-version-info-rwo-${name}` },
  data: { name, ...Object.fromEntries(images.map((image, n) => [`part${n}Image`, image])) },
});

describe('the job of the versions', () => {
  const { signal } = new AbortController();
  let maps: SettingsMap[];
  let present: Set<string>;
  let isAway: boolean;
  let asked: string[];
  let open: number;
  let content: FactContent | undefined;
  let fact: VersionsFact | undefined;
  let wanted: readonly string[] | undefined;

  const job = new VersionsJob({
    settings: () => ({ versionMaps: maps }),
    connect: () => {
      open++;
      return {
        find: (image): Promise<PresentImage | undefined> => {
          asked.push(image);
          if (isAway) return Promise.reject(new Error('no container runtime answers'));
          return Promise.resolve(present.has(image) ? { id: image, bytes: 1 } : undefined);
        },
        pull: () => Promise.reject(new Error('not asked for')),
        close: () => {
          open--;
        },
      };
    },
    map: {
      write: (edit: FactEdit) => {
        const changed = edit(content, '2026-11-21T10:00:00Z');
        content = changed ?? content;
        return Promise.resolve(changed !== undefined);
      },
    },
    facts: { publish: (_name, given) => (fact = given as VersionsFact) },
    prePull: { want: images => (wanted = images) },
  });

  beforeEach(() => {
    maps = [versionOf('a', 'x/one:1', 'x/both:1'), versionOf('b', 'x/two:1', 'x/both:1')];
    present = new Set(['x/one:1', 'x/both:1']);
    isAway = false;
    asked = [];
    open = 0;
    content = fact = wanted = undefined;
  });

  it('publishes what is there, names what is not, and asks once for each image', async () => {
    const { message } = await job.run(signal);
    expect(message).to.equal('1 versions can run here; b lacks x/two:1');
    expect(content?.data).to.deep.equal({
      existingVersions: 'a',
      missingImages: 'b: x/two:1\n',
      checkTime: '2026-11-21T10:00:00Z',
    });
    expect(fact).to.deep.equal({ existing: ['a'], missing: { b: ['x/two:1'] } });
    expect(wanted).to.deep.equal(['x/two:1']);
    expect(asked.sort()).to.deep.equal(['x/both:1', 'x/one:1', 'x/two:1']);
    expect(open).to.equal(0);
  });

  it('a runtime that does not answer: what was published stays', async () => {
    await job.run(signal);
    const before = content;
    isAway = true;
    present.clear();
    const error: unknown = await job.run(signal).catch((reason: unknown) => reason);
    expect(String(error)).to.contain('no container runtime answers');
    expect(content).to.equal(before);
    expect(open).to.equal(0);
  });

  it('once the last version map is gone, no version can run here and nothing is pulled; the runtime is not asked', async () => {
    await job.run(signal);
    [maps, asked, isAway] = [[], [], true];
    expect(await job.run(signal)).to.deep.equal({ message: 'the site has no version map' });
    expect(content?.data).to.deep.equal({ existingVersions: '', checkTime: '2026-11-21T10:00:00Z' });
    expect(fact).to.deep.equal({ existing: [], missing: {} });
    expect([wanted, asked, open]).to.deep.equal([[], [], 0]);
  });
});
