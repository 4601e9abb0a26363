import { expect } from 'chai';
import { isStatusOnly } from './status.ts';
import type { Change } from './store.ts';
import type { KubeObject } from './types.ts';

type Metadata = Partial<KubeObject['metadata']>;

const object = (metadata: Metadata): KubeObject => {
  return { apiVersion: 'v1', kind: 'Thing', metadata: { name: 'thing', generation: 1, ...metadata } };
};
const change = (after: Metadata, type: Change<KubeObject>['type'] = 'MODIFIED'): Change<KubeObject> => {
  return { type, object: object({ resourceVersion: '8', ...after }), previous: object({ resourceVersion: '7' }) };
};

describe('news in status alone', () => {
  for (const [what, event, isIt] of [
    ['status', change({}), true],
    ['spec', change({ generation: 2 }), false],
    ['an annotation', change({ annotations: { a: 'b' } }), false],
    ['a finalizer', change({ finalizers: ['x'] }), false],
    ['data of a kind without status', change({ generation: undefined }), false],
    ['its deletion, begun', change({ deletionTimestamp: '2026-01-01T00:00:00Z' }), false],
    ['its end', change({}, 'DELETED'), false],
    ['its beginning', { type: 'ADDED', object: object({}) }, false],
  ] as const) {
    it(`${what}: ${isIt ? 'yes' : 'no'}`, () => {
      expect(isStatusOnly(event)).to.equal(isIt);
    });
  }
});
