import { expect } from 'chai';
import { mpdClusterSpec } from '../../crds/mpdcluster.ts';
import { DEFAULT_OPTIONS } from '../ha/options.ts';
import { localSpec } from './testing/fixtures.ts';

/** `spec.ha` cannot import the protocol's room: this keeps both alike. */
describe('spec.ha', () => {
  it('has the fields and defaults of the protocol', () =>
    expect(mpdClusterSpec.parse(localSpec).ha).to.deep.equal(DEFAULT_OPTIONS));
});
