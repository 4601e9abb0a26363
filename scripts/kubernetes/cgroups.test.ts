import { expect } from 'chai';
import { machineCgroup, parseHierarchies } from './cgroups.ts';

describe('cgroups of a machine', () => {
  it('are found for version 1, version 2 and both at once', () => {
    const mounts = `proc /proc proc rw 0 0
cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0
`;
    expect(parseHierarchies(mounts)).to.deep.equal([
      { path: '/sys/fs/cgroup/cpu,cpuacct', version: 1 },
      { path: '/sys/fs/cgroup/unified', version: 2 },
    ]);
  });

  it('differ between machines', () => expect(machineCgroup('a', 'node-1')).to.equal('/polardb-stack-local/a/node-1'));
});
