import { expect } from 'chai';
import { liftedSettings } from './recovery-limits.ts';

describe('settings that a follower needs as its RW has them', () => {
  for (const [what, wanted, logged, lifted] of [
    ['lowered', { max_connections: '50' }, { max_connections: 100 }, { max_connections: '100' }],
    ['the same', { max_connections: '100' }, { max_connections: 100 }, {}],
    ['raised', { max_connections: '200' }, { max_connections: 100 }, {}],
    [
      "left to the engine, whose default is less than the RW's",
      {},
      { max_connections: 300 },
      { max_connections: '300' },
    ],
    ["left to the engine, whose default is more than the RW's", {}, { max_locks_per_transaction: 32 }, {}],
    ['in hexadecimal', { max_connections: '0x80' }, { max_connections: 100 }, {}],
    ['in octal', { max_connections: '0100' }, { max_connections: 100 }, { max_connections: '100' }],
    ['of which the log says nothing', { max_connections: '50' }, {}, {}],
    [
      'all of them, and no other',
      {
        max_connections: '10',
        max_worker_processes: '1',
        max_wal_senders: '2',
        max_prepared_transactions: '0',
        max_locks_per_transaction: '10',
        work_mem: '4MB',
      },
      {
        max_connections: 20,
        max_worker_processes: 32,
        max_wal_senders: 32,
        max_prepared_transactions: 5,
        max_locks_per_transaction: 64,
      },
      {
        max_connections: '20',
        max_worker_processes: '32',
        max_wal_senders: '32',
        max_prepared_transactions: '5',
        max_locks_per_transaction: '64',
      },
    ],
  ] as const) {
    it(what, () => expect(liftedSettings({ ...wanted }, { ...logged })).to.deep.equal(lifted));
  }
});
