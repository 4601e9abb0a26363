import * as z from 'zod';
import { instanceId, objectName, text } from '../fields.ts';
import { unchangeable, withRules, type Rule } from '../rules.ts';

const asRequested = unchangeable('an operation does what it was made for; cancel it and make another');

const onInstance = (what: string) =>
  withRules(z.object({ instance: instanceId().describe('Instance id.') }), [asRequested]).describe(what);

/** What an operation must be told, by type. Types that are not here need nothing but their target. */
const payloads = {
  restartInstance: onInstance('Restart one instance.'),
  switchRw: onInstance('Make this read-only instance the RW.'),
  forceFailover: withRules(
    z.object({
      instance: instanceId().optional().describe('Instance id; absent: the one that has the most.'),
      acceptDataLoss: withRules(z.boolean(), [
        {
          message: 'must be true: what no other instance has received is lost; status.data says how much',
          cel: 'self',
          holds: accepted => accepted,
        },
      ]).describe('true: rows that were acknowledged may be lost.'),
    }),
    [asRequested],
  ).describe('Make a read-only instance the RW although too few instances answer to know that it has every row.'),
  removeRo: onInstance('Take this read-only instance out for good.'),
  rebuildRo: onInstance('Replace this read-only instance by a new one.'),
  migrate: withRules(
    z.object({
      instance: instanceId().describe('Instance id.'),
      node: objectName().describe('Node that it moves to.'),
    }),
    [asRequested],
  ).describe('Move one instance to another node.'),
  modifyClass: withRules(z.object({ className: text(63).min(1).describe('Key of the class.') }), [
    asRequested,
  ]).describe('Give all instances another class.'),
  upgrade: withRules(
    z.object({
      versionName: text(63).optional().describe('Name of the minor version.'),
      engineImage: text(512).optional().describe('Image, when no version is named.'),
    }),
    [asRequested],
  ).describe('Give all instances another version.'),
};
const PAYLOADS = Object.keys(payloads) as (keyof typeof payloads)[];

/** Follow from spec of the target; asking for them by hand would be undone by the next look at spec. */
const SPEC_DRIVEN = ['create', 'delete', 'stop', 'start', 'addRo', 'modifyClass', 'upgrade'] as const;
export const OPERATION_TYPES = [
  ...SPEC_DRIVEN,
  'restartCluster',
  'restartInstance',
  'flushParams',
  'switchRw',
  'forceFailover',
  'migrate',
  'removeRo',
  'rebuildRo',
  'rebuild',
  'extendStorage',
] as const;

const fields = z.object({
  target: withRules(
    z.object({
      kind: z.enum(['MPDCluster']).default('MPDCluster').describe('Kind of the target.'),
      name: objectName().describe('Name of the target, in the namespace of the operation.'),
    }),
    [asRequested],
  ).describe('What is operated on. Operations of one target run one at a time, oldest first.'),
  type: withRules(z.enum(OPERATION_TYPES), [asRequested]).describe('What is done.'),
  requestedBy: withRules(z.enum(['spec', 'annotation', 'automatic', 'user']), [asRequested])
    .default('user')
    .describe('Who asked: a change of spec, an annotation, the system itself, or a person who made this object.'),
  cancelled: withRules(z.boolean(), [
    { message: 'cannot be taken back: make a new operation', cel: 'self || !oldSelf' } satisfies Rule<unknown>,
  ])
    .default(false)
    .describe('true stops the operation at the next safe point.'),
  restartInstance: payloads.restartInstance.optional(),
  switchRw: payloads.switchRw.optional(),
  forceFailover: payloads.forceFailover.optional(),
  removeRo: payloads.removeRo.optional(),
  rebuildRo: payloads.rebuildRo.optional(),
  migrate: payloads.migrate.optional(),
  modifyClass: payloads.modifyClass.optional(),
  upgrade: payloads.upgrade.optional(),
});
type Fields = z.output<typeof fields>;

const fits = PAYLOADS.map((name): Rule<Fields> => ({
  field: `.${name}`,
  message: `belongs to type ${name} and is needed there`,
  cel: `has(self.${name}) == (self.type == '${name}')`,
  holds: spec => (spec[name] !== undefined) === (spec.type === name),
}));
const askedInSpec: Rule<Fields> = {
  field: '.type',
  message: `${SPEC_DRIVEN.join(', ')} follow from spec of the target: change that instead`,
  cel: `self.requestedBy != 'user' || !(self.type in [${SPEC_DRIVEN.map(type => `'${type}'`).join(', ')}])`,
  holds: ({ requestedBy, type }) => requestedBy !== 'user' || !SPEC_DRIVEN.some(driven => driven === type),
};

export const mpdOperationSpec = withRules(fields, [...fits, askedInSpec]).describe(
  'What is to be done. It cannot be changed afterwards, except for cancelled.',
);

export type MPDOperationSpec = Fields;
export type MPDOperationSpecInput = z.input<typeof fields>;
