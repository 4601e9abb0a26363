import { REQUEST_ANNOTATIONS } from './annotations.ts';
import type { CustomResourceDefinition } from './crd.ts';
import type { Structural } from './structural.ts';

/** The page of one kind in docs/reference/, written from its CustomResourceDefinition alone. */
export function referencePage(crd: CustomResourceDefinition): string {
  const { kind, plural, shortNames, categories } = crd.spec.names;
  const [version] = crd.spec.versions;
  const schema = version.schema.openAPIV3Schema;
  return [
    `# ${kind}`,
    schema.description ?? '',
    `\`apiVersion: ${crd.spec.group}/${version.name}\`, \`kind: ${kind}\`, ` +
      `\`kubectl get ${plural}\` (short: ${code(shortNames)}; category: ${code(categories)}). ` +
      'Generated from the schema in `crds/` by `node scripts/reference.ts`; * marks what must be given.',
    ...rules(schema),
    ...objects(schema.properties?.spec, 'spec'),
    ...(kind === 'MPDCluster' ? annotations() : []),
    ...objects(schema.properties?.status, 'status'),
    '',
  ].join('\n\n');
}

const code = (words: readonly unknown[]): string => words.map(word => `\`${String(word)}\``).join(', ');
/** Markdown would take `<cluster>` outside of code for a tag of HTML. */
const prose = (text: string): string =>
  text
    .split('`')
    .map((part, index) => (index % 2 === 0 ? part.replaceAll('<', '&lt;') : part))
    .join('`');
const cell = (text: string): string => prose(text).replaceAll('|', '\\|');
const table = (head: string[], rows: string[][]): string =>
  [head, head.map(() => '---'), ...rows.map(row => row.map(cell))].map(row => `| ${row.join(' | ')} |`).join('\n');

/** One section per object, outer before inner. */
function objects(schema: Structural | undefined, place: string): string[] {
  if (!schema) return [];
  const { properties, items, additionalProperties } = schema;
  if (items) return objects(items, `${place}[]`);
  if (additionalProperties) return objects(additionalProperties, `${place}.<key>`);
  if (!properties) return [];
  const fields = Object.entries(properties);
  const head = ['field', 'type', 'default', 'meaning'];
  const rows = fields.map(([name, field]) => [
    `\`${name}\`${schema.required?.includes(name) ? ' *' : ''}`,
    typeOf(field),
    defaultOf(field),
    `${field.description ?? ''}${field.properties ? '' : rulesInline(field)}`,
  ]);
  return [
    `## ${place}`,
    ...(place.includes('.') || !schema.description ? [] : [prose(schema.description)]),
    table(head, rows),
    ...rules(schema),
    ...fields.flatMap(([name, field]) => objects(field, `${place}.${name}`)),
  ];
}

/** One list, so that it reads as one. */
function rules({ 'x-kubernetes-validations': validations = [] }: Structural): string[] {
  if (validations.length === 0) return [];
  const items = validations.map(({ message, fieldPath }) => {
    const field = fieldPath === undefined ? '' : `\`${fieldPath.slice(1)}\`: `;
    return `- ${field}${prose(message)}`;
  });
  return [['Rules:', '', ...items].join('\n')];
}

const rulesInline = ({ 'x-kubernetes-validations': validations = [] }: Structural): string =>
  validations
    .map(({ message }) => `${/^(must|cannot)/.test(message) ? ' It ' : ' Else refused: '}${message}.`)
    .join('');

function typeOf(field: Structural): string {
  if (field['x-kubernetes-int-or-string']) return 'quantity';
  if (field.enum) return code(field.enum.map(value => (value === '' ? '""' : value)));
  if (field.items) return `list of ${typeOf(field.items)}`;
  if (field.additionalProperties) return `map to ${typeOf(field.additionalProperties)}`;
  if (field.format === 'date-time') return 'time';
  return `${field.type ?? ''}${bounds(field)}`;
}

function bounds({ minimum, maximum, maxLength }: Structural): string {
  if (minimum !== undefined && maximum !== undefined && maximum < 2 ** 31 - 1) return ` ${minimum}-${maximum}`;
  return maxLength === undefined ? '' : ` (${maxLength})`;
}

const defaultOf = ({ default: value, properties }: Structural): string =>
  value === undefined || properties ? '' : `\`${JSON.stringify(value)}\``;

function annotations(): string[] {
  return [
    '## Annotations',
    'Requests as in the original. Each becomes an `MPDOperation` and is then taken away; what cannot be read is refused with a condition.',
    table(
      ['annotation', 'value', 'meaning'],
      REQUEST_ANNOTATIONS.map(({ name, value, meaning }) => [`\`${name}\``, value, meaning]),
    ),
    'About the operation that is going on: `cancelled: "true"` stops it at the next safe point. After an interruption ' +
      '`interrupt.reason` and `interrupt.message` say why; changing `interrupt.recover` from `F` to `T` resumes it.',
  ];
}
