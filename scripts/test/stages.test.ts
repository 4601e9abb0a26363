import { expect } from 'chai';
import { select, STAGES } from './stages.ts';

describe('test stages', () => {
  const names = (...wanted: string[]): string[] => select(wanted).map(stage => stage.name);

  it('are all but those on demand when none is named', () => {
    expect(names()).to.deep.equal(STAGES.map(({ name }) => name).filter(name => name !== 'failover'));
    expect(names('failover')).to.deep.equal(['failover']);
  });
  it('can be named one by one, in their own order', () => expect(names('e2e', 'unit')).to.deep.equal(['unit', 'e2e']));
  it('can be named as the group of static checks', () =>
    expect(names('check')).to.deep.equal(['format', 'types', 'lint', 'imports', 'unused']));
  it('refuse a name that is none', () => expect(() => select(['uni'])).to.throw('no test stage "uni"; known: check, '));
});
