import * as z from 'zod';

/**
 * Building blocks of both kinds. Strings of spec are bounded, because the API server prices CEL rules by these bounds;
 * strings of status are not, so that a long message can never make a status unwritable.
 */

/** A resource quantity that is not negative (apimachinery resource.Quantity), as `250m`, `17Gi` or a plain number. */
const QUANTITY_PATTERN = '^([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$';

const QUANTITY_ERROR = 'must be a quantity such as 500m or 20Gi';

/** Written as a string or an integer, like every quantity of Kubernetes. */
export const quantity = () =>
  z
    .union([z.int().min(0), z.string().max(32).regex(new RegExp(QUANTITY_PATTERN), QUANTITY_ERROR)], QUANTITY_ERROR)
    .meta({ 'x-kubernetes-int-or-string': true, pattern: QUANTITY_PATTERN, maxLength: 32 });

/** Free text; `max` counts characters. */
export const text = (max = 253) => z.string().max(max);

/** Name of a Kubernetes object (RFC 1123 subdomain). */
export const objectName = () =>
  z
    .string()
    .min(1)
    .max(253)
    .regex(/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/, 'must be a name of lower case letters, digits, "-" and "."');

/** Id of an instance in the forms of the original: a number taken from its counter. */
export const instanceId = () =>
  z
    .string()
    .min(1)
    .max(32)
    .regex(/^[0-9a-z]([-0-9a-z]*[0-9a-z])?$/, 'must be an instance id, as they stand in status.dbInstanceStatus');

export const count = () => z.int().min(0).max(2_147_483_647).meta({ format: 'int32' });
export const generation = () => z.int().min(0).meta({ format: 'int64' });

/** RFC 3339 with seconds, UTC or with an offset. */
export const timestamp = () => z.iso.datetime({ offset: true });

/** Conditions in the form of Kubernetes (meta/v1 Condition), one per type. */
export const conditions = () =>
  z
    .array(
      z
        .object({
          type: z.string().min(1).describe('What is judged.'),
          status: z.enum(['True', 'False', 'Unknown']).describe('The verdict.'),
          observedGeneration: generation().optional().describe('Generation of spec that was judged.'),
          lastTransitionTime: timestamp().describe('When the verdict last changed.'),
          reason: z.string().describe('Why, in one word for programs.'),
          message: z.string().describe('Why, and what to do, for people.'),
        })
        .describe('One condition.'),
    )
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
    .describe('Verdicts by type.');
