import { expect } from 'chai';
import { isFirst, machineOf } from './machines.ts';

describe('processes of a local cluster', () => {
  const environ = 'PATH=/bin\0POLARDB_STACK_MACHINE=e2e/node-1\0HOME=/';
  for (const [what, cluster, machine] of [
    ['their own cluster', 'e2e', 'node-1'],
    ['not a cluster whose name begins alike', 'e2', undefined],
    ['not another one', 'quickstart', undefined],
  ] as const) {
    it(`belong to ${what}`, () => expect(machineOf(environ, cluster)).to.equal(machine));
  }

  for (const [what, ids, first] of [
    ['the first of a machine', 'NSpid:\t4711\t1', true],
    ['another of a machine', 'NSpid:\t4711\t23', false],
    ['one outside', 'NSpid:\t4711', false],
    ['the first of this machine itself', 'NSpid:\t1', false],
  ] as const) {
    it(`tell ${what}`, () => expect(isFirst(`Name:\tx\n${ids}\nNSpgid:\t1\n`)).to.equal(first));
  }
});
