import { expect } from 'chai';
import fc from 'fast-check';
import { byLabel, byOwner, Store, type Change } from './store.ts';
import type { KubeObject } from './types.ts';

const object = (name: string, uid: string, version: number): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: { name, uid, resourceVersion: String(version), labels: { parity: version % 2 ? 'odd' : 'even' } },
});
const told = (changes: Change<KubeObject>[]): string[] =>
  changes.map(({ type, object: { metadata } }) => `${type} ${metadata.name} ${metadata.uid ?? ''}`);

describe('store', () => {
  it('a new list tells what changed meanwhile, deletes and successors too', () => {
    const store = new Store();
    store.replace([object('gone', 'u1', 1), object('same', 'u2', 2), object('new', 'u3', 3), object('again', 'u4', 4)]);
    const changes = store.replace([
      object('same', 'u2', 2),
      object('new', 'u3', 9),
      object('again', 'u5', 10),
      object('fresh', 'u6', 11),
    ]);
    expect(told(changes)).to.deep.equal([
      'DELETED gone u1',
      'MODIFIED new u3',
      'DELETED again u4',
      'ADDED again u5',
      'ADDED fresh u6',
    ]);
  });

  it('an event already known is no change', () => {
    const store = new Store();
    store.replace([object('a', 'u1', 5)]);
    expect(store.apply({ type: 'MODIFIED', object: object('a', 'u1', 5) })).to.deep.equal([]);
    expect(store.apply({ type: 'DELETED', object: object('a', 'u0', 4) })).to.deep.equal([]);
    expect(told(store.apply({ type: 'DELETED', object: object('a', 'u1', 6) }))).to.deep.equal(['DELETED a u1']);
  });

  it('finds by owner, and refuses an index that nobody declared', () => {
    const store = new Store({ owner: byOwner });
    const owned = object('a', 'u1', 1);
    owned.metadata.ownerReferences = [{ apiVersion: 'v1', kind: 'Thing', name: 'o', uid: 'o1' }];
    store.replace([owned, object('b', 'u2', 2)]);
    expect(store.byIndex('owner', 'o1')).to.deep.equal([owned]);
    expect(() => store.byIndex('label', 'x')).to.throw('no index');
  });

  it('property: objects, index and told changes always agree', () => {
    const some = fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), uid: fc.nat(2), version: fc.nat(9) });
    const list = fc.uniqueArray(some, { selector: one => one.name });
    const event = fc.record({
      type: fc.constantFrom('ADDED' as const, 'MODIFIED' as const, 'DELETED' as const),
      of: some,
    });
    fc.assert(
      fc.property(fc.array(fc.oneof(list, event)), steps => {
        const store = new Store({ parity: byLabel('parity') });
        const mirror = new Map<string, KubeObject>();
        for (const step of steps) {
          const changes = Array.isArray(step)
            ? store.replace(step.map(one => object(one.name, String(one.uid), one.version)))
            : store.apply({ type: step.type, object: object(step.of.name, String(step.of.uid), step.of.version) });
          for (const change of changes) {
            const { name } = change.object.metadata;
            expect(mirror.has(name)).to.equal(change.type !== 'ADDED');
            if (change.type === 'DELETED') mirror.delete(name);
            else mirror.set(name, change.object);
          }
          expect(store.list()).to.have.members([...mirror.values()]);
          const indexed = [...store.byIndex('parity', 'odd'), ...store.byIndex('parity', 'even')];
          expect(indexed).to.have.members([...mirror.values()]);
        }
      }),
    );
  });
});
