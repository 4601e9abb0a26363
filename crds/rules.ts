import * as z from 'zod';

/**
 * A rule that a type alone cannot say. The API server checks `cel`; `holds` says the same in TypeScript for manifests
 * and for objects that were stored before the rule existed. A table test runs both over the same inputs.
 */
export interface Rule<T> {
  /** The field to blame, below the object that carries the rule: `.shareStore`. Absent: the object itself. */
  field?: string;
  message: string;
  cel: string;
  /** The rule is for new objects: what is stored already must stay writable, whatever it is called. */
  onlyOnCreate?: true;
  /** Absent: the rule compares with the stored object, which only the API server knows. */
  holds?: (value: T) => boolean;
}

/** Attaches rules to a schema. Call it last: zod forgets annotations in later calls, except in wrappers. */
export function withRules<S extends z.ZodType>(schema: S, rules: readonly Rule<z.output<S>>[]): S {
  return schema
    .superRefine((value: z.output<S>, context) => {
      // Like the API server: rules see only values of the right shape.
      if (context.issues.some(({ code }) => code !== 'custom')) return;
      for (const { holds, message, field } of rules) {
        const path = (field ?? '').split('.').filter(part => part !== '');
        if (holds && !holds(value)) context.addIssue({ code: 'custom', message, path });
      }
    })
    .meta({ 'x-kubernetes-validations': rules.map(celRule) });
}

/** The rule as the API server reads it. */
export const celRule = ({ cel, message, field, onlyOnCreate }: Rule<never>) => ({
  rule: onlyOnCreate ? `oldSelf.hasValue() || ${cel}` : cel,
  message,
  ...(field !== undefined && { fieldPath: field }),
  ...(onlyOnCreate && { optionalOldSelf: true }),
});

/** The value may be given or left out, but never differ from what was stored. */
export const unchangeable = (why: string): Rule<unknown> => ({
  message: `cannot be changed: ${why}`,
  cel: 'self == oldSelf',
});
