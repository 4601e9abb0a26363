import * as z from 'zod';
import { quantity, text } from '../fields.ts';
import { quantityValue } from '../quantity.ts';
import { withRules } from '../rules.ts';

const informational = 'Informational; the class decides.';

const classFigures = {
  cpu: text(32).optional().describe(`CPU of the class, for example 2000m. ${informational}`),
  memory: text(32).optional().describe(`Memory of the class, for example 17Gi. ${informational}`),
  iops: text(32).optional().describe(`I/O operations per second of the class. ${informational}`),
};

export const classInfo = z
  .object({
    className: text(63)
      .min(1)
      .describe('Key of the instance class, for example polar.o.x4.medium. It fixes resources and engine parameters.'),
    ...classFigures,
  })
  .describe('Size of every instance of the cluster.');

export const classInfoModifyTo = z
  .object({
    className: text(63).default('').describe('Key of the wanted class; empty asks for nothing.'),
    ...classFigures,
  })
  .describe(
    'Wanted class, as in the original: when set it is the target instead of classInfo. Editing classInfo means the same. ' +
      'The class that is running stands in status.insClassInfo.',
  );

export const resourceAdditional = z
  .record(
    text(63),
    z
      .object({
        cpu_cores: quantity().describe('CPU of the container.'),
        limit_memory: quantity().describe('Memory limit of the container.'),
        config: text(1024).describe('Free text for the container.'),
      })
      .describe('Resources of one container.'),
  )
  .describe('Accepted from the original, which wrote it itself; has no effect. Use resources.');

const amounts = () =>
  z.object({
    cpu: quantity().optional().describe('CPU, for example 500m.'),
    memory: quantity().optional().describe('Memory, for example 2Gi.'),
    'hugepages-2Mi': quantity().optional().describe('Huge pages of 2 MiB, for example 1Gi.'),
  });

/** Request above limit is what the API server refuses in a pod; said here, the reason comes with the edit. */
const requestWithinLimit = (name: 'cpu' | 'memory') => ({
  field: `.requests.${name}`,
  message: `must not be greater than limits.${name}`,
  cel:
    `!has(self.requests) || !has(self.limits) || !has(self.requests.${name}) || !has(self.limits.${name}) || ` +
    `quantity(string(self.requests.${name})).compareTo(quantity(string(self.limits.${name}))) <= 0`,
  holds: ({ requests, limits }: Resources) => {
    const [request, limit] = [requests?.[name], limits?.[name]];
    return request === undefined || limit === undefined || quantityValue(request) <= quantityValue(limit);
  },
});

const resourcesShape = z.object({
  requests: amounts().optional().describe('What the engine container asks for.'),
  limits: amounts().optional().describe('What the engine container may use.'),
});
type Resources = z.output<typeof resourcesShape>;

export const resources = withRules(resourcesShape, [requestWithinLimit('cpu'), requestWithinLimit('memory')]);
