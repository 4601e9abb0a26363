import { expect } from 'chai';
import { formatHbaFile, formatIdentFile } from './access.ts';

describe('who may connect', () => {
  const rules = formatHbaFile()
    .trim()
    .split('\n')
    .map(line => line.split(/\s+/));

  it('trusts nobody', () => expect(rules.filter(rule => rule.includes('trust'))).to.deep.equal([]));

  it('lets nothing in over the network without TLS, and nothing with TLS without scram', () => {
    const network = rules.filter(([type]) => type !== 'local');
    const open = network.filter(rule => rule.at(-1) !== 'reject');
    expect(open.map(([type, , , , method]) => `${type ?? ''} ${method ?? ''}`)).to.deep.equal([
      'hostssl scram-sha-256',
      'hostssl scram-sha-256',
    ]);
  });

  it('opens replication for one role only', () => {
    const replication = rules.filter(([type, database]) => type === 'hostssl' && database === 'replication');
    expect(replication.map(rule => rule.slice(2).join(' '))).to.deep.equal([
      '"replicator" all scram-sha-256',
      'all all reject',
    ]);
  });

  it("maps the agent's user whatever it is called", () => {
    expect(formatIdentFile('some "one"')).to.contain('agent "some ""one""" "postgres"\n');
  });
});
