import { expect } from 'chai';
import fc from 'fast-check';
import { isCancelRequested, isResumeRequested, readRequests, REQUEST_ANNOTATIONS } from './annotations.ts';
import { mpdOperationSpec } from './mpdoperation.ts';

describe('request annotations', () => {
  for (const [annotation, value, operation] of [
    ['forceRebuild', 'T', { type: 'rebuild' }],
    ['restartCluster', 'true', { type: 'restartCluster' }],
    ['flushParams', '1', { type: 'flushParams' }],
    ['extendStorage', ' true ', { type: 'extendStorage' }],
    ['restartIns', '1003', { type: 'restartInstance', restartInstance: { instance: '1003' } }],
    ['switchRw', '1003', { type: 'switchRw', switchRw: { instance: '1003' } }],
    ['removeIns', '1003', { type: 'removeRo', removeRo: { instance: '1003' } }],
    ['migrate', '7601|dbm-02', { type: 'migrate', migrate: { instance: '7601', node: 'dbm-02' } }],
    ['migrate', '7601 | dbm-02.example', { type: 'migrate', migrate: { instance: '7601', node: 'dbm-02.example' } }],
  ] as const) {
    it(`${annotation}: ${value}`, () =>
      expect(readRequests({ [annotation]: value })).to.deep.equal({
        requests: [{ annotation, operation }],
        refused: [],
      }));
  }

  for (const value of ['', '0', 'F', 'false']) {
    it(`flushParams: "${value}" asks for nothing`, () =>
      expect(readRequests({ flushParams: value })).to.deep.equal({ requests: [], refused: [] }));
  }

  for (const [annotation, value] of [
    ['flushParams', 'yes'],
    ['forceRebuild', 'TRUE'],
    ['switchRw', ''],
    ['restartIns', 'a b'],
    ['migrate', '7601'],
    ['migrate', '7601|'],
    ['migrate', '|dbm-02'],
    ['migrate', '7601|dbm-02|dbm-03'],
    ['migrate', '7601|../x'],
  ] as const) {
    it(`refuses ${annotation}: "${value}"`, () => {
      const { requests, refused } = readRequests({ [annotation]: value });
      expect(requests).to.deep.equal([]);
      expect(refused.map(({ field }) => field)).to.deep.equal([`metadata.annotations.${annotation}`]);
    });
  }

  it('come in the order of the original, others are left alone', () => {
    const { requests } = readRequests({
      extendStorage: '1',
      'polarbox.enable.vip': '1',
      switchRw: '2',
      restartCluster: '1',
    });
    expect(requests.map(({ annotation }) => annotation)).to.deep.equal(['restartCluster', 'switchRw', 'extendStorage']);
  });

  it('are refused or make an operation that the API server accepts, whatever they hold', () => {
    const names = fc.constantFrom(...REQUEST_ANNOTATIONS.map(({ name }) => name));
    const values = fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-z.|-]{1,40}$/), fc.constantFrom('1', 'T', 'true'));
    fc.assert(
      fc.property(fc.dictionary(names, values), annotations => {
        for (const { operation } of readRequests(annotations).requests) {
          mpdOperationSpec.parse({ ...operation, target: { name: 'orders' }, requestedBy: 'annotation' });
        }
      }),
    );
  });
});

describe('annotations about operations', () => {
  for (const [value, cancelled] of [
    [undefined, false],
    ['false', false],
    ['true', true],
    ['T', true],
  ] as const) {
    it(`cancelled: ${value ?? 'absent'}`, () =>
      expect(isCancelRequested(value === undefined ? {} : { cancelled: value })).to.equal(cancelled));
  }

  for (const [value, resumed] of [
    [undefined, false],
    ['F', false],
    ['T', true],
    ['whatever', true],
  ] as const) {
    it(`interrupt.recover: ${value ?? 'absent'}`, () =>
      expect(isResumeRequested(value === undefined ? {} : { 'interrupt.recover': value })).to.equal(resumed));
  }
});
