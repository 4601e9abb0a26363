import { expect } from 'chai';
import { clusterProblems, mpdClusterSpec } from '../../crds/mpdcluster.ts';
import { DEFAULT_OPTIONS, OPTION_BOUNDS, optionProblems, type HaOptions } from '../ha/options.ts';
import { localSpec } from './testing/fixtures.ts';

/** What `spec.ha` is after validation, or the fields that are refused. */
function read(ha: Partial<HaOptions>): HaOptions | string[] {
  const spec = { ...localSpec, ha };
  const problems = clusterProblems({ metadata: { name: 'orders' }, spec });
  if (problems.length > 0) return problems.map(({ field }) => field.replace('spec.ha.', ''));
  return mpdClusterSpec.parse(spec).ha;
}

/** `spec.ha` cannot import the protocol's room: this keeps both alike. */
describe('spec.ha', () => {
  it('has the fields and defaults of the protocol', () => expect(read({})).to.deep.equal(DEFAULT_OPTIONS));

  for (const [field, [least, most]] of Object.entries(OPTION_BOUNDS)) {
    it(`bounds ${field} as the protocol does`, () => {
      for (const value of [least - 1, most + 1]) expect(read({ [field]: value })).to.include(field);
      for (const value of [least, most]) {
        const ha = { ...DEFAULT_OPTIONS, [field]: value };
        const problems = optionProblems(ha).map(problem => problem.split(':')[0]);
        expect(read(ha), `${field}: ${value}`).to.deep.equal(problems.length > 0 ? problems : ha);
      }
    });
  }
});
