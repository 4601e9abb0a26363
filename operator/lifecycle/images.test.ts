import { expect } from 'chai';
import type { MPDClusterStatus } from '../../crds/mpdcluster.ts';
import { imagesCondition } from './images.ts';
import { clusterOf, localSpec, planOf } from './testing/fixtures.ts';
import { hostOf } from './testing/hosts.ts';

const { images } = planOf();
const said = (hosts: Parameters<typeof imagesCondition>[2], change: Partial<typeof images> = {}, status = {}) => {
  const found = imagesCondition({ images: { ...images, ...change } }, clusterOf(localSpec, status), hosts);
  return found && `${found.status} ${found.reason}: ${found.message}`;
};
const without = [hostOf('node-1', { versions: ['pg14'] }), hostOf('node-2', { versions: [] })];

describe('images of a version', () => {
  it("are no subject without a daemon, nor where the image is the user's own", () => {
    expect(said([hostOf('node-1')])).to.equal(undefined);
    expect(said(without, { versionName: '' })).to.equal(undefined);
  });

  it('are there when one host has them all', () => {
    expect(said([...without, hostOf('node-3', { versions: ['pg14', 'pg15'] })])).to.match(/^True ImagesPresent/);
  });

  it('are pulled when no host has them; the warning says what to do where nothing can be pulled', () => {
    expect(said(without)).to.match(/^False ImagesToBePulled: no host has all images of version pg15.*load them/);
  });

  it('are missing where nothing is pulled; the warning names what is there', () => {
    expect(said(without, { pullPolicy: 'Never' })).to.match(/^False ImagesMissing: .*is there: pg14$/);
  });

  it('of a host that takes no pods do not count', () => {
    const closed = hostOf('node-3', { versions: ['pg15'], node: { unschedulable: true } });
    expect(said([...without, closed])).to.match(/^False/);
  });

  it('are unknown again when the daemons are taken away', () => {
    const lastTransitionTime = '2026-01-01T00:00:00Z';
    const before = { type: 'ImagesAvailable', status: 'False', reason: 'ImagesToBePulled', message: '' } as const;
    const status: MPDClusterStatus = { conditions: [{ ...before, lastTransitionTime }] };
    expect(said([hostOf('node-1')], {}, status)).to.match(/^Unknown ImagesUnknown/);
  });
});
