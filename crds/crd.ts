import type * as z from 'zod';
import { API_GROUP, API_VERSION } from '../operator/model/names.ts';
import { structural, type Structural } from './structural.ts';

export interface PrinterColumn {
  name: string;
  type: 'string' | 'integer' | 'date';
  jsonPath: string;
  description: string;
  /** 1: only with `-o wide`. */
  priority?: number;
}

export interface KindDefinition {
  kind: string;
  plural: string;
  shortNames: string[];
  description: string;
  spec: z.ZodType;
  status: z.ZodType;
  columns: PrinterColumn[];
  scale?: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath: string };
  /** Rules on the whole object; of metadata they can see the name only. */
  rules?: Structural['x-kubernetes-validations'];
}

export interface CustomResourceDefinition {
  apiVersion: 'apiextensions.k8s.io/v1';
  kind: 'CustomResourceDefinition';
  metadata: { name: string };
  spec: {
    group: string;
    scope: 'Namespaced';
    names: {
      kind: string;
      listKind: string;
      plural: string;
      singular: string;
      shortNames: string[];
      categories: string[];
    };
    versions: [
      {
        name: string;
        served: true;
        storage: true;
        schema: { openAPIV3Schema: Structural };
        subresources: { status: object; scale?: KindDefinition['scale'] };
        additionalPrinterColumns: PrinterColumn[];
      },
    ];
  };
}

/** The CustomResourceDefinition of a kind; the same input gives the same object, key order included. */
export function customResourceDefinition(definition: KindDefinition): CustomResourceDefinition {
  const { kind, plural, shortNames, columns, scale } = definition;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${API_GROUP}` },
    spec: {
      group: API_GROUP,
      scope: 'Namespaced',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames,
        categories: ['polardb'],
      },
      versions: [
        {
          name: API_VERSION,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: rootSchema(definition) },
          subresources: { status: {}, ...(scale && { scale }) },
          additionalPrinterColumns: columns,
        },
      ],
    },
  };
}

function rootSchema({ kind, description, spec, status, rules = [] }: KindDefinition): Structural {
  return {
    description,
    type: 'object',
    required: ['spec'],
    ...(rules.length > 0 && { 'x-kubernetes-validations': rules }),
    properties: {
      apiVersion: { description: `${API_GROUP}/${API_VERSION}.`, type: 'string' },
      kind: { description: `${kind}.`, type: 'string' },
      // The API server takes no description here.
      metadata: { type: 'object' },
      spec: structural(spec, 'spec'),
      status: structural(status, 'status'),
    },
  };
}
