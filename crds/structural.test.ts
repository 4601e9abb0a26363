import { expect } from 'chai';
import * as z from 'zod';
import { KINDS } from './definitions.ts';
import { structural, type Structural } from './structural.ts';

function* nodes(schema: Structural, place: string): Generator<[string, Structural]> {
  yield [place, schema];
  for (const [name, child] of Object.entries(schema.properties ?? {})) yield* nodes(child, `${place}.${name}`);
  if (schema.items) yield* nodes(schema.items, `${place}[]`);
  if (schema.additionalProperties) yield* nodes(schema.additionalProperties, `${place}{}`);
}

/** A value in a list or map is described by what holds it, metadata by Kubernetes. */
const isField = (place: string): boolean => !/(\[\]|\{\}|^\.metadata)$/.test(place);

describe('zod to structural schema', () => {
  const field = (schema: z.ZodType): Structural | undefined =>
    structural(z.object({ a: schema }), 'spec').properties?.a;

  for (const [what, schema, expected] of [
    ['text', z.string().max(3).describe('d'), { description: 'd', type: 'string', maxLength: 3 }],
    ['integers without the bounds of JavaScript', z.int(), { type: 'integer' }],
    ['bounded integers', z.int().min(1).max(5), { type: 'integer', minimum: 1, maximum: 5 }],
    ['dates without their pattern', z.iso.datetime(), { type: 'string', format: 'date-time' }],
    ['enums and defaults', z.enum(['a', 'b']).default('a'), { type: 'string', default: 'a', enum: ['a', 'b'] }],
    [
      'defaults of what is below',
      z.object({ b: z.int().default(1) }).prefault({}),
      {
        type: 'object',
        default: {},
        properties: { b: { type: 'integer', default: 1 } },
      },
    ],
    ['maps', z.record(z.string(), z.boolean()), { type: 'object', additionalProperties: { type: 'boolean' } }],
    ['lists', z.array(z.string()), { type: 'array', items: { type: 'string' } }],
  ] as const) {
    it(what, () => expect(field(schema)).to.deep.equal(expected));
  }

  for (const [what, schema] of [
    ['unions', z.union([z.string(), z.int()])],
    ['values without a type', z.unknown()],
    ['null', z.string().nullable()],
    ['open bounds', z.number().gt(0)],
  ] as const) {
    it(`refuses ${what} and names the place`, () => expect(() => field(schema)).to.throw('spec.a'));
  }
});

describe('CustomResourceDefinitions', () => {
  for (const crd of KINDS) {
    const schema = crd.spec.versions[0].schema.openAPIV3Schema;
    const all = [...nodes(schema, '')];

    describe(crd.spec.names.kind, () => {
      it('is smaller than 100 kB', () => expect(JSON.stringify(crd).length).to.be.below(100_000));

      it('describes every field in a sentence', () => {
        const silent = all.filter(
          ([place, { description = '' }]) => isField(place) && !/^[A-Za-z0-9].*\.$/.test(description),
        );
        expect(silent.map(([place]) => place)).to.deep.equal([]);
      });

      it('keeps patterns to what RE2 knows', () => {
        for (const [, { pattern }] of all) expect(pattern ?? '').to.not.match(/\(\?[=!<]|\\[1-9]/);
      });

      it('has keys for every list of objects', () => {
        const loose = all.filter(([, node]) => node.items?.type === 'object' && !node['x-kubernetes-list-map-keys']);
        expect(loose.map(([place]) => place)).to.deep.equal(
          crd.spec.names.kind === 'MPDCluster' ? ['.status.proxyStatus.workingAddr'] : [],
        );
      });
    });
  }
});
