import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fleet } from '../../e2e/support/fleet/fleet.ts';
import { eventually } from '../../e2e/support/eventually.ts';
import { Faults } from '../../e2e/support/faults.ts';
import { KubeClient } from '../../operator/kube/client.ts';
import { findCredentials } from '../../operator/kube/credentials.ts';
import { down, up } from '../kubernetes/cluster.ts';
import type { Figure } from './figures.ts';

const NAME = 'bench-fleet';
const CLUSTERS = 200;
const CRASHES = 20;
const IDLE_MS = 60_000;
/** USER_HZ, the unit of /proc/PID/stat. */
const TICKS_PER_SECOND = 100;

/** A cluster manager on one core that looks after 200 clusters of three simulated instances each. */
export async function measureFleet(): Promise<Figure[]> {
  const local = await up({ name: NAME, nodes: 0 });
  const credentials = findCredentials({ kubeconfig: local.kubeconfig });
  const fleet = new Fleet(new KubeClient({ credentials, fieldManager: 'bench' }));
  let manager: ChildProcess | undefined;
  try {
    await fleet.install();
    // It would take away pods whose nodes it does not know.
    await new Faults(local).freeze('kube-controller');
    await fleet.start(CLUSTERS);
    const began = performance.now();
    manager = spawn('taskset', ['-c', '0', process.execPath, 'scripts/fleet/main.ts', local.kubeconfig], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    await fleet.settled();
    const seconds = (performance.now() - began) / 1000;
    await sleep(IDLE_MS / 2);
    const idle = await usage(manager.pid!);
    const reactions: number[] = [];
    for (let n = 0; n < CRASHES; n++) reactions.push(await reaction(fleet, n));
    const name = `cluster manager, ${CLUSTERS} clusters of 3`;
    return [
      { name: `${name}: RSS`, unit: 'MiB', values: [idle.mebibytes], kind: 'time' },
      { name: `${name}: of one core, idle`, unit: '%', values: [idle.percent], kind: 'time' },
      { name: `${name}: all created`, unit: 's', values: [seconds], kind: 'time' },
      { name: `${name}: reaction to a crash`, unit: 's', values: reactions, worstAtMost: 0.3, kind: 'time' },
    ];
  } finally {
    manager?.kill();
    if (manager) await once(manager, 'close');
    await fleet.stop();
    await down(NAME);
  }
}

/** From the report of a crash to the first call that it causes, s. */
async function reaction(fleet: Fleet, n: number): Promise<number> {
  const before = fleet.calls(n);
  const began = performance.now();
  fleet.writer(n)!.crash();
  await eventually('the cluster manager reacts', () => fleet.calls(n) > before || undefined, { everyMs: 1 });
  const seconds = (performance.now() - began) / 1000;
  await fleet.settled();
  return seconds;
}

async function usage(pid: number): Promise<{ percent: number; mebibytes: number }> {
  const before = await ticks(pid);
  await sleep(IDLE_MS);
  const spent = (await ticks(pid)) - before;
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kibibytes = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
  return { percent: (100 * spent) / TICKS_PER_SECOND / (IDLE_MS / 1000), mebibytes: kibibytes / 1024 };
}

/** Processor time of a process so far. */
async function ticks(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
