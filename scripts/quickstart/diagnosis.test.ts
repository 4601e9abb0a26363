import { expect } from 'chai';
import { renderFindings } from './diagnosis.ts';

describe('diagnosis', () => {
  it('tells conditions, operation, pods, events in order and the warnings of the log', () => {
    const involvedObject = { kind: 'Pod', name: 'c-1-2' };
    const text = renderFindings({
      cluster: {
        metadata: { name: 'c', namespace: 'n', generation: 1 },
        spec: { followerNum: 0 },
        status: {
          conditions: [{ type: 'Ready', status: 'False', reason: 'PodUnscheduled', message: 'no node fits' }],
          operation: { name: 'c-create-1', type: 'create', step: 'StartPods', message: 'no node fits' },
        },
      },
      pods: [
        {
          metadata: { name: 'c-1-2' },
          spec: { nodeName: 'node-1' },
          status: {
            containerStatuses: [
              { name: 'engine', ready: false, restartCount: 4, state: { waiting: { reason: 'CrashLoopBackOff' } } },
            ],
          },
        },
      ],
      events: [
        { type: 'Warning', reason: 'Later', message: 'second', lastTimestamp: '2026-01-01T00:00:02Z', involvedObject },
        { type: 'Normal', reason: 'Sooner', message: 'first\n', eventTime: '2026-01-01T00:00:01Z', involvedObject },
      ],
      logs: [
        {
          part: 'operator',
          lines: [
            '{"time":"t1","level":"info","message":"starting"}',
            '{"time":"t2","level":"warn","message":"step failed","cluster":"c","step":"StartPods","error":{"message":"boom"}}',
            '{ code: 1 }',
            'Segmentation fault',
          ],
        },
        { part: 'cluster manager', lines: ['{"level":"info","message":"starting"}'] },
      ],
    });
    expect(text).to.equal(`Conditions of the database cluster:
  Ready=False PodUnscheduled: no node fits
Operation:
  c-create-1: step StartPods: no node fits
Pods:
  c-1-2 on node-1: engine: CrashLoopBackOff, 4 restarts
Events, newest last:
  Normal Sooner pod/c-1-2: first
  Warning Later pod/c-1-2: second
Log of the operator, warnings and errors:
  t2 warn c StartPods step failed boom
  { code: 1 }
  Segmentation fault
`);
  });

  it('is empty when nothing could be had', () => {
    expect(renderFindings({ pods: [], events: [], logs: [{ part: 'operator', lines: [''] }] })).to.equal('');
  });
});
