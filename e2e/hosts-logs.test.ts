import { expect } from 'chai';
import { readFile, writeFile } from 'node:fs/promises';
import type { LogsReport } from '../operator/daemon/logs/report.ts';
import { RESOURCES } from '../operator/kube/resources.ts';
import { logReportName } from '../operator/model/host.ts';
import { localSpec } from './support/engine.ts';
import { Faults } from './support/faults.ts';
import type { Host } from './support/host.ts';
import { SETTINGS_NAMESPACE } from './support/host-daemons.ts';
import { hostScenario } from './support/host-scenario.ts';
import { programsOf } from './support/processes.ts';

const ROOT = '/disk1/polardb';
const TRASH = '.polardb-stack-trash';
const OLD = "'30 days ago'";
/** Ids that the next clusters get; one of two instances takes fewer. */
const NEXT_IDS = 12;
/** A clean-up tells every half minute how far it is; this is a little more. */
const STILL_MS = 32_000;

describe('logs of a host', function () {
  this.timeout(300_000);
  const opened = hostScenario('hosts-logs');
  const { scene, daemons } = opened;
  const host = (): Host => opened.hosts[1];
  const lines = async (command: string): Promise<string[]> =>
    (await host().sh(`cd ${ROOT}; ${command}`)).split('\n').filter(line => line !== '');
  const report = async (): Promise<{ startedAt: string; state: string; report: LogsReport }> => {
    const {
      startedAt = '',
      state = '',
      report: text = '{}',
    } = (await daemons.map(logReportName(host().name)))?.data ?? {};
    return { startedAt, state, report: JSON.parse(text) as LogsReport };
  };
  const oldLogs = async (): Promise<number> => Number((await lines('find 990301/log -name "*_old.log" | wc -l'))[0]);
  const clear = (): Promise<string> =>
    host().sh(`rm -rf ${ROOT}/990301 ${ROOT}/odd ${ROOT}/rm_data_1 ${ROOT}/${TRASH}; rm -rf ${ROOT}/[0-9]*`);

  before(clear);
  after(clear);

  it('100,000 files: bounded memory, progress in the report, and no folder of a cluster that is made meanwhile', async () => {
    const ids = await nextIds();
    await fill(ids);
    const kept = await lines('find odd 990301/log -type l -o -path "odd*" -o -name "*strange*" | sort');
    const pids = await programsOf(await daemons.pod(host().name));
    // Peaks of memory count from here.
    for (const pid of pids) await writeFile(`/proc/${pid}/clear_refs`, '5');
    const since = await clean();
    await scene.eventually('it is in the middle of it', async () => (await oldLogs()) < 40_011 || undefined, {
      everyMs: 20,
    });
    // The host stands still for half a minute.
    const goOn = new Faults(scene.local).pause(pids);
    const end = Date.now() + STILL_MS;
    const database = await scene.newCluster('orders', localSpec(1));
    try {
      await scene.eventually('half a minute has passed', () => Date.now() > end || undefined);
    } finally {
      await goOn();
    }
    const progress = await scene.eventually(
      'it tells how far it is',
      async () => {
        const now = await report();
        return now.startedAt >= since && now.state === 'running' ? now : undefined;
      },
      { everyMs: 50 },
    );
    expect(progress.report.seen.logs).to.be.greaterThan(0);
    const { seen, totals, problems } = await done(since);
    expect(seen.logs).to.equal(80_010);
    expect([totals.LogAge?.items, totals.RmDataAge?.items]).to.deep.equal([40_000, 1]);
    expect(problems).to.deep.equal([]);
    // The newest of each folder, and a link.
    expect(await oldLogs()).to.equal(11);
    expect(await lines('find 990301/log -name "*_young.log" | wc -l')).to.deep.equal(['40000']);
    expect(await lines('find odd 990301/log -type l -o -path "odd*" -o -name "*strange*" | sort')).to.deep.equal(kept);
    for (const pid of pids) expect(await peakOf(pid)).to.be.below(140);
    await database.ready();
    const cluster = await database.get();
    expect(ids).to.include.members(Object.keys(cluster.status?.dbInstanceStatus ?? {}));
    const text = JSON.stringify(cluster);
    // What went before its cluster was there comes back as a whole.
    await done(await clean());
    for (const id of ids) {
      const [at] = await lines(`find . -maxdepth 2 -name '${id}' -o -maxdepth 2 -name '${id}.[0-9]*'`);
      // One of them is the cluster's own.
      const isNamed = text.includes(`"${id}"`);
      expect(at).to.match(isNamed ? new RegExp(`^./${id}$`) : new RegExp(`^./${TRASH}/${id}.\\d+$`));
      expect(await lines(`cat ${at}/data/content`)).to.deep.equal([`of ${id}`]);
    }
  });

  /** @returns a moment before it began */
  async function clean(): Promise<string> {
    const since = new Date().toISOString();
    const { status } = await opened.api.call('admin', 'POST', { node: host().name, path: '/logs/clean' });
    expect(status).to.equal(202);
    return since;
  }

  const done = (since: string): Promise<LogsReport> =>
    scene.eventually(
      'the clean-up is done',
      async () => {
        const now = await report();
        return now.startedAt >= since && now.state === 'done' ? now.report : undefined;
      },
      { deadlineMs: 180_000 },
    );

  async function nextIds(): Promise<string[]> {
    const ref = { namespace: SETTINGS_NAMESPACE, name: 'polardb4mpd-controller' };
    const map = await scene.client.get(RESOURCES.configMaps, ref);
    const next = Number(map?.data?.['NextClusterScopeCustInsId'] ?? 1000);
    return Array.from({ length: NEXT_IDS }, (_, n) => String(next + n));
  }

  /** Empty files: how many they are matters. Besides, folders that nobody has named for long, and what is strange. */
  async function fill(ids: readonly string[]): Promise<void> {
    const note = JSON.stringify(Object.fromEntries(ids.map(id => [id, '2020-01-01T00:00:00.000Z'])));
    const make = [
      `mkdir -p ${ROOT}/990301/data ${ROOT}/odd/log ${ROOT}/${TRASH}; cd ${ROOT}`,
      'for n in 0 1 2 3 4 5 6 7 8 9; do mkdir -p 990301/log/$n; touch 990301/log/$n/postgresql-999999_old.log; done',
      `seq 40000 | awk '{ print "990301/log/" $1 % 10 "/postgresql-" $1 "_old.log" }' | xargs touch -d ${OLD}`,
      `seq 40000 | awk '{ print "990301/log/postgresql-" $1 "_young.log" }' | xargs touch`,
      `for n in $(seq 0 99); do mkdir -p rm_data_1/$n; done`,
      `seq 20000 | awk '{ print "rm_data_1/" $1 % 100 "/" $1 }' | xargs touch -d ${OLD}`,
      `touch -d ${OLD} rm_data_1`,
      `ln -s /etc/hostname 990301/log/postgresql-0_old.log; ln -s /etc 990301/log/elsewhere`,
      `touch -d ${OLD} "990301/log/a strange name" odd/log/postgresql-1.log`,
      ...ids.map(
        id =>
          `mkdir -p ${id}/data; echo of ${id} >${id}/data/content; touch -d ${OLD} ${id}/data/content ${id}/data ${id}`,
      ),
      `echo '${note}' >${TRASH}/orphans.json`,
    ];
    await host().sh(make.join('\n'));
  }

  async function peakOf(pid: number): Promise<number> {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
  }
});
