import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { Metrics } from './metrics.ts';

describe('metrics', () => {
  let now: number;
  let metrics: Metrics;
  beforeEach(() => {
    now = 0;
    metrics = new Metrics(() => now);
  });
  /** Lines of the scrape that begin with this. */
  const lines = async (start: string): Promise<string[]> =>
    (await metrics.text()).split('\n').filter(line => line.startsWith(start));
  const controller = (depth = 0) => metrics.controller('mpdcluster', { workers: 4, depth: () => depth });

  it('begins every series of a controller at zero', async () => {
    controller();
    expect(await lines('controller_runtime_reconcile_total')).to.deep.equal([
      'controller_runtime_reconcile_total{controller="mpdcluster",result="success"} 0',
      'controller_runtime_reconcile_total{controller="mpdcluster",result="requeue_after"} 0',
      'controller_runtime_reconcile_total{controller="mpdcluster",result="error"} 0',
    ]);
    expect(await lines('workqueue_adds_total')).to.deep.equal(['workqueue_adds_total{name="mpdcluster"} 0']);
    expect(await lines('controller_runtime_max_concurrent')).to.have.length(1);
  });

  it('counts reconciles by result, with their time', async () => {
    const { measured } = controller();
    const takes = (ms: number, result: { requeueAfterMs: number } | undefined) =>
      measured(() => {
        now += ms;
        return Promise.resolve(result);
      })('team-a/orders');
    await takes(200, undefined);
    expect(await takes(300, { requeueAfterMs: 5 })).to.deep.equal({ requeueAfterMs: 5 });
    const error = new Error('boom');
    const failing = measured(() => Promise.reject(error))('team-a/orders');
    expect(await failing.catch((caught: unknown) => caught)).to.equal(error);
    expect(await lines('controller_runtime_reconcile_total')).to.deep.equal([
      'controller_runtime_reconcile_total{controller="mpdcluster",result="success"} 1',
      'controller_runtime_reconcile_total{controller="mpdcluster",result="requeue_after"} 1',
      'controller_runtime_reconcile_total{controller="mpdcluster",result="error"} 1',
    ]);
    expect(await lines('controller_runtime_reconcile_errors_total')).to.deep.equal([
      'controller_runtime_reconcile_errors_total{controller="mpdcluster"} 1',
    ]);
    expect(await lines('controller_runtime_reconcile_time_seconds_sum')).to.deep.equal([
      'controller_runtime_reconcile_time_seconds_sum{controller="mpdcluster"} 0.5',
    ]);
  });

  it('shows what hangs while it hangs', async () => {
    const { measured } = controller(3);
    let finish = (): void => undefined;
    const hanging = measured(() => new Promise<undefined>(resolve => (finish = () => resolve(undefined))))('a');
    now = 7_000;
    expect(await lines('workqueue_longest')).to.deep.equal([
      'workqueue_longest_running_processor_seconds{name="mpdcluster"} 7',
    ]);
    expect(await lines('workqueue_depth')).to.deep.equal(['workqueue_depth{name="mpdcluster"} 3']);
    finish();
    await hanging;
    expect(await lines('controller_runtime_active_workers')).to.deep.equal([
      'controller_runtime_active_workers{controller="mpdcluster"} 0',
    ]);
    expect(await lines('workqueue_unfinished')).to.deep.equal([
      'workqueue_unfinished_work_seconds{name="mpdcluster"} 0',
    ]);
  });

  it('counts what the queue tells', async () => {
    const { events } = controller();
    events.added();
    events.added();
    events.retried();
    events.started(250);
    expect(await lines('workqueue_adds')).to.deep.equal(['workqueue_adds_total{name="mpdcluster"} 2']);
    expect(await lines('workqueue_retries')).to.deep.equal(['workqueue_retries_total{name="mpdcluster"} 1']);
    expect(await lines('workqueue_queue_duration_seconds_sum')).to.deep.equal([
      'workqueue_queue_duration_seconds_sum{name="mpdcluster"} 0.25',
    ]);
  });

  it('counts API requests by method and code', async () => {
    const hook = metrics.apiCalls('api:6443');
    for (const [verb, status] of [
      ['get', 200],
      ['list', 200],
      ['patch', 409],
      ['watch', 0],
    ] as const) {
      hook.after({ verb }, { status, durationMs: 100 });
    }
    expect(await lines('rest_client_requests_total')).to.deep.equal([
      'rest_client_requests_total{code="200",method="GET",host="api:6443"} 2',
      'rest_client_requests_total{code="409",method="PATCH",host="api:6443"} 1',
      'rest_client_requests_total{code="<error>",method="GET",host="api:6443"} 1',
    ]);
  });

  it('reads mirrors and leadership at each scrape', async () => {
    const stats = { lists: 1, watches: 2, failures: 0, objects: 10 };
    let isLeader = false;
    metrics.watch('pods', () => stats);
    metrics.leader('operator', () => isLeader);
    expect(await lines('leader_election')).to.deep.equal(['leader_election_master_status{name="operator"} 0']);
    isLeader = true;
    Object.assign(stats, { watches: 5, failures: 2, objects: 8 });
    const text = await metrics.text();
    for (const line of [
      'reflector_lists_total{name="pods"} 1',
      'reflector_watches_total{name="pods"} 5',
      'polardb_stack_reflector_failures_total{name="pods"} 2',
      'polardb_stack_cache_objects{name="pods"} 8',
      'leader_election_master_status{name="operator"} 1',
    ]) {
      expect(text).to.include(`${line}\n`);
    }
  });

  it('counts steps and operations', async () => {
    const record = { phase: 'Running' };
    metrics.flow({ flow: 'create', kind: 'begun', step: 'CreateRw', record });
    metrics.flow({ flow: 'create', kind: 'done', step: 'CreateRw', seconds: 0.25, record });
    metrics.flow({ flow: 'create', kind: 'ended', record: { phase: 'Interrupted' } });
    expect(await lines('polardb_stack_operation_steps_total')).to.deep.equal([
      'polardb_stack_operation_steps_total{type="create",step="CreateRw",event="begun"} 1',
      'polardb_stack_operation_steps_total{type="create",step="CreateRw",event="done"} 1',
    ]);
    expect(await lines('polardb_stack_operation_step_seconds_sum')).to.deep.equal([
      'polardb_stack_operation_step_seconds_sum{type="create",step="CreateRw"} 0.25',
    ]);
    expect(await lines('polardb_stack_operations_total')).to.deep.equal([
      'polardb_stack_operations_total{type="create",phase="Interrupted"} 1',
    ]);
  });

  it('shares nothing between two registries', async () => {
    controller();
    expect(await new Metrics().text()).to.not.include('mpdcluster');
  });

  it('can add those of the process', async () => {
    metrics.collectProcess();
    expect(await lines('process_resident_memory_bytes')).to.have.length(1);
  });

  it('has every number in its documentation, and no other', () => {
    const page = readFileSync(new URL('../../docs/operations/metrics.md', import.meta.url), 'utf8');
    const cells = (row: string): string[] => row.split('|').map(cell => cell.replaceAll(/[`\\]/g, '').trim());
    const documented = page
      .split('\n')
      .filter(line => line.startsWith('| `'))
      .map(row => cells(row).slice(1, -1));
    const registered = metrics.registry.getMetricsAsArray().map(metric => {
      // The type says neither.
      const { name, help, type, labelNames } = metric as unknown as Record<'name' | 'help' | 'type', string> & {
        labelNames: string[];
      };
      return [name, type, labelNames.join(', '), help];
    });
    expect(documented).to.deep.equal(registered);
  });
});
