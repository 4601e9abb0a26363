import { expect } from 'chai';
import { Registry } from 'prom-client';
import { JOB_NAMES, type JobName, type LoopState } from './loop.ts';
import { LoopMetrics } from './metrics.ts';

it('LoopMetrics count each run once, and show when a loop did its work last', async () => {
  const registry = new Registry();
  const idle: LoopState = { isRunning: false, isStuck: false, failures: 0 };
  const states = Object.fromEntries(JOB_NAMES.map(name => [name, idle])) as Record<JobName, LoopState>;
  const metrics = new LoopMetrics(registry, () => states);
  const see = (state: Partial<LoopState>): void => {
    states.ports = { ...states.ports, ...state };
    metrics.changed('ports', states.ports);
  };
  see({ isRunning: true });
  see({ isRunning: false, lastDurationMs: 250, lastSuccess: new Date(5_000) });
  see({ isRunning: true });
  see({ isStuck: true });
  see({ isRunning: false, failures: 1, lastDurationMs: 750 });
  const lines = (await registry.metrics()).split('\n').filter(line => /^[a-z_]+\{loop="ports"\}/.test(line));
  expect(lines).to.deep.equal([
    'polardb_stack_loop_seconds_sum{loop="ports"} 1',
    'polardb_stack_loop_seconds_count{loop="ports"} 2',
    'polardb_stack_loop_failures_total{loop="ports"} 1',
    'polardb_stack_loop_last_success_timestamp_seconds{loop="ports"} 5',
    'polardb_stack_loop_stuck{loop="ports"} 1',
  ]);
});
