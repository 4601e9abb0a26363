import { expect } from 'chai';
import type { AuditEvent } from '../../e2e/support/audit.ts';
import { callsOf } from './calls.ts';

const event = (username: string, verb: string, resource: string, namespace = 'default'): AuditEvent => ({
  auditID: '1',
  stage: 'ResponseComplete',
  verb,
  requestURI: `/${resource}`,
  user: { username },
  objectRef: { resource, namespace },
  requestReceivedTimestamp: '',
});

describe('calls of an idle stack', () => {
  const operator = 'system:serviceaccount:polardb-system:polardb-stack-operator';

  it('are those of our service accounts, without watches', () => {
    const calls = callsOf(
      [
        event(operator, 'watch', 'pods'),
        event(operator, 'get', 'pods'),
        event(operator, 'patch', 'mpdclusters'),
        event(operator, 'update', 'leases', 'polardb-system'),
        event(operator, 'get', 'leases', 'default'),
        event('system:serviceaccount:other:thing', 'get', 'pods'),
        event('admin', 'delete', 'pods'),
      ],
      account => account.startsWith('polardb-system:'),
    );
    expect(calls).to.deep.equal({
      reads: ['polardb-system:polardb-stack-operator get /pods', 'polardb-system:polardb-stack-operator get /leases'],
      writes: ['polardb-system:polardb-stack-operator patch /mpdclusters'],
      renewals: 1,
    });
  });
});
