import { expect } from 'chai';
import fc from 'fast-check';
import { queueOf, toPrune } from './operations.ts';
import type { QueuedOperation } from './operations.ts';
import type { Phase } from './record.ts';

const operation = (name: string, phase: Phase, rest: Partial<QueuedOperation> = {}): QueuedOperation => ({
  name,
  phase,
  createdAt: '2026-01-01T00:00:00Z',
  ...rest,
});
const repair = (name: string, ...instances: string[]): QueuedOperation =>
  operation(name, 'Pending', { isRepair: true, instances });
const interrupted = (...instances: string[]): QueuedOperation => operation('a', 'Interrupted', { instances });

describe('which operation of a target runs', () => {
  for (const [what, operations, run, waiting] of [
    ['nothing to do', [], undefined, []],
    ['only history', [operation('a', 'Failed')], undefined, []],
    [
      'the oldest',
      [operation('b', 'Pending', { createdAt: '2025-12-31T23:59:59Z' }), operation('a', 'Pending')],
      'b',
      ['a behind b'],
    ],
    ['same second: by name', [operation('b', 'Pending'), operation('a', 'Pending')], 'a', ['b behind a']],
    ['the one that has begun', [operation('a', 'Pending'), operation('b', 'Waiting')], 'b', ['a behind b']],
    [
      'a begun repair before a resumed one',
      [operation('a', 'Pending'), { ...repair('b', '2'), phase: 'Running' as const }],
      'b',
      ['a behind b'],
    ],
    ['nothing after an interrupted one', [interrupted('1'), operation('b', 'Pending')], undefined, ['b behind a']],
    [
      'repair of another instance passes it',
      [interrupted('1'), operation('b', 'Pending'), repair('c', '2')],
      'c',
      ['b behind a'],
    ],
    ['repair of the same instance does not', [interrupted('1', '2'), repair('c', '2')], undefined, ['c behind a']],
    ['repair of anything waits for one on everything', [interrupted(), repair('c', '2')], undefined, ['c behind a']],
  ] as const) {
    it(what, () => {
      const queue = queueOf(operations);
      expect(queue.run?.name).to.equal(run);
      expect(queue.waiting.map(({ operation: { name }, behind }) => `${name} behind ${behind.name}`)).to.deep.equal(
        waiting,
      );
    });
  }

  it('never loses one, never runs two, and is the same for every order of looking', () => {
    const phases: Phase[] = ['Pending', 'Running', 'Waiting', 'Interrupted', 'Succeeded', 'Failed', 'Cancelled'];
    const arbitrary = fc.uniqueArray(
      fc.record({
        name: fc.string({ minLength: 1, maxLength: 3 }),
        createdAt: fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-01T00:00:01Z'),
        phase: fc.constantFrom(...phases),
        isRepair: fc.boolean(),
        instances: fc.subarray(['1', '2']),
      }),
      { selector: ({ name }) => name, maxLength: 8 },
    );
    fc.assert(
      fc.property(arbitrary, operations => {
        const queue = queueOf(operations);
        const seen = [...(queue.run ? [queue.run] : []), ...queue.waiting.map(({ operation }) => operation)];
        const wanted = operations.filter(({ phase }) => ['Pending', 'Running', 'Waiting'].includes(phase));
        expect(seen).to.have.members(wanted);
        expect(queueOf([...operations].reverse())).to.deep.equal(queue);
        const isHeldUp = operations.some(({ phase }) => phase === 'Interrupted');
        if (wanted.length > 0 && !isHeldUp) expect(queue.run).to.not.equal(undefined);
      }),
    );
  });
});

describe('pruning', () => {
  const finished = (n: number): QueuedOperation =>
    operation(`op-${String(n).padStart(2, '0')}`, 'Succeeded', { finishedAt: new Date(n * 1000).toISOString() });

  it('keeps the newest 20 finished ones and all others', () => {
    const operations = [...Array.from({ length: 23 }, (_, n) => finished(n)), operation('run', 'Running')];
    expect(toPrune(operations).map(({ name }) => name)).to.deep.equal(['op-00', 'op-01', 'op-02']);
  });

  it('has nothing to do below that', () => {
    expect(toPrune(Array.from({ length: 20 }, (_, n) => finished(n)))).to.deep.equal([]);
  });
});
