import * as z from 'zod';
import { count, generation, timestamp } from '../fields.ts';

const step = z
  .object({
    name: z.string().describe('Name, unique within the operation.'),
    state: z
      .enum(['Pending', 'Running', 'Waiting', 'Retrying', 'Succeeded', 'Failed'])
      .describe('Where it stands. Retrying: the last attempt failed, the next one waits for its time.'),
    attempts: count().describe('Attempts begun since the operation began or was resumed.'),
    startedAt: timestamp().optional().describe('When it was first run.'),
    finishedAt: timestamp().optional().describe('When it succeeded or failed.'),
    until: timestamp()
      .optional()
      .describe(
        'Waiting: end of patience; absent where a person or a host ends the wait. Retrying: time of the next attempt.',
      ),
    reason: z.string().optional().describe('Why it waits or failed, in one word.'),
    message: z.string().optional().describe('Why it waits or failed.'),
    progress: z.string().optional().describe('How far it is.'),
  })
  .describe('One step.');

export const mpdOperationStatus = z
  .object({
    observedGeneration: generation().optional().describe('Generation of spec that this status speaks of.'),
    phase: z
      .enum(['Pending', 'Running', 'Waiting', 'Interrupted', 'Succeeded', 'Failed', 'Cancelled'])
      .default('Pending')
      .describe(
        'Pending waits for its turn, Waiting for something outside, Interrupted for a person (interrupt.recover of the cluster resumes it).',
      ),
    steps: z
      .array(step)
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
      .default([])
      .describe('Steps in their order.'),
    reason: z.string().optional().describe('Why it waits, stopped or failed, in one word.'),
    component: z.string().optional().describe('What that is about: an instance, a node, a field.'),
    message: z.string().optional().describe('Why it waits, stopped or failed.'),
    advice: z.string().optional().describe('What a person can do about it.'),
    data: z.record(z.string(), z.string()).default({}).describe('What its steps remember. No secrets.'),
    startedAt: timestamp().optional().describe('When it began.'),
    finishedAt: timestamp().optional().describe('When it ended.'),
  })
  .describe('How far it is: written before each effect that it announces.');

export type MPDOperationStatus = z.output<typeof mpdOperationStatus>;
