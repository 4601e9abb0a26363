import { expect } from 'chai';
import fc from 'fast-check';
import { isSameQuantity, parseQuantity } from './quantity.ts';
import { firstDifference } from './subset.ts';

const container = (more: object): object => ({ spec: { containers: [{ name: 'engine', ...more }] } });

describe('what differs between desired and live', () => {
  const cases: [string, object, object, string | undefined][] = [
    ['fields of others', { spec: { a: 1 } }, { spec: { a: 1, b: 2 }, status: {} }, undefined],
    ['a changed value', { spec: { a: 1 } }, { spec: { a: 2 } }, 'spec.a'],
    ['a missing field', { spec: { a: 1 } }, {}, 'spec'],
    ['zero values that the server leaves out', { a: '', b: 0, c: false, d: [], e: {}, f: { g: [] } }, {}, undefined],
    ['a zero value against another', { a: false }, { a: true }, 'a'],
    ['undefined and null wish for nothing', { a: undefined, b: null }, { a: 1, b: 2 }, undefined],
    [
      'a selector that somebody narrowed',
      { spec: { selector: { app: 'a' } } },
      { spec: { selector: { app: 'a', more: 'b' } } },
      'spec.selector',
    ],
    [
      'the same in a disruption budget',
      { spec: { selector: { matchLabels: { app: 'a' } } } },
      { spec: { selector: { matchLabels: { app: 'a', more: 'b' } } } },
      'spec.selector',
    ],
    ['text and number', { targetPort: '5432' }, { targetPort: 5432 }, 'targetPort'],
    ['text that looks like a quantity', { data: { max: '1000m' } }, { data: { max: '1' } }, 'data.max'],
    [
      'quantities in another spelling',
      container({ resources: { limits: { cpu: '1000m', memory: '1024Mi' } } }),
      container({ resources: { limits: { cpu: '1', memory: '1Gi' } } }),
      undefined,
    ],
    [
      'another quantity',
      container({ resources: { limits: { cpu: '2' } } }),
      container({ resources: { limits: { cpu: '1' } } }),
      'spec.containers[engine].resources.limits.cpu',
    ],
    [
      'an injected sidecar and another order',
      { spec: { containers: [{ name: 'a', image: 'x' }, { name: 'b' }] } },
      { spec: { containers: [{ name: 's' }, { name: 'b', image: 'y' }, { name: 'a', image: 'x' }] } },
      undefined,
    ],
    [
      'a container that is not there',
      container({}),
      { spec: { containers: [{ name: 's' }] } },
      'spec.containers[engine]',
    ],
    [
      'the default protocol of a container',
      container({ ports: [{ containerPort: 1 }] }),
      container({ ports: [{ containerPort: 1, protocol: 'TCP' }] }),
      undefined,
    ],
    [
      'the protocol of a Service port',
      { spec: { ports: [{ port: 1 }] } },
      { spec: { ports: [{ port: 1, protocol: 'UDP' }] } },
      'spec.ports[1/TCP]',
    ],
    ['an EndpointSlice is one value', { ports: [{ port: 1 }] }, { ports: [{ port: 1 }, { port: 2 }] }, 'ports'],
    [
      'arguments are one value',
      container({ args: ['a'] }),
      container({ args: ['a', 'b'] }),
      'spec.containers[engine].args',
    ],
    [
      'a finalizer of another',
      { metadata: { finalizers: ['x'] } },
      { metadata: { finalizers: ['y', 'x'] } },
      undefined,
    ],
    [
      'our finalizer removed',
      { metadata: { finalizers: ['x'] } },
      { metadata: { finalizers: ['y'] } },
      'metadata.finalizers[x]',
    ],
    ['a list that became something else', { a: [1] }, { a: 'x' }, 'a'],
    [
      'defaults inside of list items',
      { rules: [{ verbs: ['get'] }] },
      { rules: [{ verbs: ['get'], x: 1 }] },
      undefined,
    ],
  ];
  for (const [what, desired, live, path] of cases) {
    it(what, () => expect(firstDifference(desired, live)).to.equal(path));
  }

  it('property: every value holds itself, whatever is added beside', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.dictionary(fc.string(), fc.jsonValue()),
        (own, other) => {
          expect(firstDifference(own, { ...other, ...own })).to.equal(undefined);
        },
      ),
    );
  });
});

describe('quantities', () => {
  for (const [text, number] of [
    ['1', 1],
    ['1500m', 1.5],
    ['2Gi', 2 ** 31],
    ['1e3', 1_000],
    ['1E', 1e18],
    ['.5', 0.5],
    ['100k', 100_000],
    ['', undefined],
    ['1 Gi', undefined],
    ['Gi', undefined],
    [true, undefined],
  ] as const) {
    it(`${JSON.stringify(text)} is ${number}`, () => expect(parseQuantity(text)).to.equal(number));
  }

  it('are the same in thousandths', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 1e9 }), n => isSameQuantity(String(n), `${n * 1000}m`)));
    expect(isSameQuantity('1', '1001m')).to.equal(false);
  });
});
