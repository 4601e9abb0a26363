import { expect } from 'chai';
import { parseOptions } from './options.ts';

describe('quickstart options', () => {
  it('mean a cluster on this machine when there are none', () => {
    expect(parseOptions([]))
      .to.include({ down: false, help: false, name: 'quickstart' })
      .and.not.have.property('context');
  });

  it('name an existing cluster and where it gets its images', () => {
    const options = parseOptions(['--context', 'kind-try', '--registry', 'registry.example:5000/polardb', '--down']);
    expect(options).to.include({ context: 'kind-try', registry: 'registry.example:5000/polardb', down: true });
  });

  for (const [what, args, message] of [
    ['a registry without a cluster', ['--registry', 'r.example'], '--registry is for --context'],
    ['a registry with a scheme', ['--context', 'c', '--registry', 'https://r.example'], 'without https://'],
    ['a registry that ends with a slash', ['--context', 'c', '--registry', 'r.example/'], 'slash at the end'],
    ['a name and a context', ['--name', 'n', '--context', 'c'], 'give one of them'],
    ['a name that cannot be one', ['--name', 'My Cluster'], 'is no name of a local cluster'],
    ['a context without a name', ['--context', ''], 'needs the name'],
    ['an unknown option', ['--frobnicate'], '--frobnicate'],
    ['a word too many', ['up'], 'up'],
  ] as const) {
    it(`refuse ${what}`, () => expect(() => parseOptions(args)).to.throw(message));
  }
});
