import { expect } from 'chai';
import { cgroupFindings, mayLowerOomScore } from './machine-check.ts';

describe('check of the machine', () => {
  const one = (path: string) => ({ path: `/sys/fs/cgroup/${path}`, version: 1 as const });
  for (const [what, trees, controllers, finding] of [
    ['version 1 complete', ['cpu,cpuacct', 'cpuset', 'memory', 'pids'].map(one), '', undefined],
    ['version 2 complete', [], 'cpuset cpu io memory pids\n', undefined],
    ['memory switched off', ['cpu', 'cpuset', 'pids'].map(one), '', 'no cgroup controllers memory'],
    ['none', [], '', 'no cgroup controllers cpu, cpuset, memory, pids'],
  ] as const) {
    it(`cgroups: ${what}`, () => {
      const [first] = cgroupFindings(trees, controllers);
      if (finding === undefined) expect(first).to.equal(undefined);
      else expect(first).to.contain(finding);
    });
  }

  for (const [what, mask, may] of [
    ['all capabilities', '000001ffffffffff', true],
    ['all but CAP_SYS_RESOURCE', '000001fffeffffff', false],
    ['none', '0000000000000000', false],
  ] as const) {
    it(`OOM score with ${what}`, () => expect(mayLowerOomScore(`Name:\tnode\nCapEff:\t${mask}\n`)).to.equal(may));
  }
});
