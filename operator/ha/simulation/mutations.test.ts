import { expect } from 'chai';
import { find, mutations } from './mutations.ts';

const SEED = 1;
/** Enough for what a test run plays; the nightly profile looks further, with seeds of its own. */
const MOST = 500;
/** Rules whose loss takes a rare schedule even in its story. */
const NIGHTLY = ['margin'];

describe('simulation: each rule of the protocol is missed when it is taken out', function () {
  this.timeout(60_000);
  for (const mutation of mutations.filter(it => !NIGHTLY.includes(it.rule))) {
    it(mutation.rule, () => expect(find(mutation, { seed: SEED, most: MOST }).schedule).to.not.equal(undefined));
  }
});
