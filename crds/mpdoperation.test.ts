import { expect } from 'chai';
import { operationProblems, parseOperation } from './mpdoperation.ts';
import type { ObjectMeta } from './object.ts';
import type { OperationRecord } from '../operator/workflow/record.ts';
import { ACCEPTED, REFUSED } from './testing/operation-cases.ts';

const metadata = { name: 'op-1', namespace: 'shop' } as ObjectMeta;

describe('MPDOperation', () => {
  for (const [what, spec] of ACCEPTED) {
    it(`accepts ${what}`, () => expect(operationProblems(spec)).to.deep.equal([]));
  }

  for (const [what, field, spec] of REFUSED) {
    it(`refuses ${what}`, () =>
      expect(parseOperation({ metadata, spec }).problems?.map(problem => problem.field)).to.deep.equal([field]));
  }

  it('reads a new one as pending, in the form of the workflow runner', () => {
    const record: OperationRecord = parseOperation({ metadata, spec: ACCEPTED[0]![1] }).value!.status;
    expect(record).to.deep.equal({ phase: 'Pending', steps: [], data: {} });
  });

  it('keeps a whole journal', () => {
    const status: OperationRecord = {
      phase: 'Waiting',
      steps: [
        {
          name: 'A',
          state: 'Succeeded',
          attempts: 1,
          startedAt: '2026-01-01T00:00:00.001Z',
          finishedAt: '2026-01-01T00:00:01.000Z',
        },
        {
          name: 'B',
          state: 'Waiting',
          attempts: 2,
          until: '2026-01-01T00:10:00.000Z',
          reason: 'R',
          message: 'm',
          progress: '1 of 2',
        },
      ],
      reason: 'R',
      component: 'instance 1003',
      message: 'x'.repeat(100_000),
      advice: 'wait',
      data: { podUid: 'u' },
      startedAt: '2026-01-01T00:00:00.000Z',
    };
    expect(parseOperation({ metadata, spec: ACCEPTED[0]![1], status }).value?.status).to.deep.equal(status);
  });
});
