import { expect } from 'chai';
import type { ClaimableFile } from './places.ts';
import { Volume } from './volume.ts';

const RW = '1/pod-1/000000000000000a';
const LATER = '1/pod-1/000000000000000b';
const own = (rest: object): string => JSON.stringify({ clusterUid: 'u', ...rest });

describe('whose data lies on the volume', () => {
  for (const [what, before, act, after] of [
    ['data that nobody was RW on', undefined, (it: Volume) => it.claim(0), { epoch: 0 }],
    ['a first RW', own({ epoch: 0 }), (it: Volume) => it.raiseEpoch(1, RW), { epoch: 1, holder: RW }],
    ['a later RW', own({ epoch: 1, holder: RW }), (it: Volume) => it.raiseEpoch(3, LATER), { epoch: 3, holder: LATER }],
    ['of a release that wrote no holder', own({ epoch: 2 }), (it: Volume) => it.raiseEpoch(2, RW), { epoch: 2 }],
    [
      'no way back',
      own({ epoch: 3, holder: LATER }),
      (it: Volume) => it.raiseEpoch(2, RW),
      { epoch: 3, holder: LATER },
    ],
    [
      'one epoch has one',
      own({ epoch: 3, holder: RW }),
      (it: Volume) => it.raiseEpoch(3, LATER),
      { epoch: 3, holder: RW },
    ],
    ['a copy of another RW’s data', own({ epoch: 3, holder: RW }), (it: Volume) => it.claim(4), { epoch: 4 }],
  ] as const) {
    it(what, async () => {
      const file = new File(before);
      const volume = new Volume(file, 'u', () => Promise.resolve({ state: 'initialized' }));
      await act(volume);
      expect(await volume.state()).to.deep.equal({ state: 'initialized', clusterUid: 'u', ...after });
      expect(file.writes).to.be.at.most(1);
    });
  }

  it('is not claimed over another cluster’s', async () => {
    const file = new File(JSON.stringify({ clusterUid: 'x', epoch: 1, holder: RW }));
    const volume = new Volume(file, 'u', () => Promise.resolve({ state: 'initialized' }));
    expect(await volume.claim(1).catch((error: unknown) => error)).to.include({ code: 'VolumeForeign' });
    expect(file.writes).to.equal(0);
  });
});

class File implements ClaimableFile {
  writes = 0;
  #content: string | undefined;

  constructor(content: string | undefined) {
    this.#content = content;
  }

  read(): Promise<string | undefined> {
    return Promise.resolve(this.#content);
  }

  write(content: string): Promise<void> {
    this.writes++;
    this.#content = content;
    return Promise.resolve();
  }

  async create(content: string): Promise<boolean> {
    if (this.#content !== undefined) return false;
    await this.write(content);
    return true;
  }
}
