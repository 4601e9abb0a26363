import { down } from './cluster.ts';
import { locked } from './lock.ts';

describe('local cluster', () => {
  // Locks are taken below the one of a cluster: `--name indexes` waited for itself without end.
  it('may have the name of a lock that is taken below its own', () => locked('indexes', () => down('indexes')));
});
