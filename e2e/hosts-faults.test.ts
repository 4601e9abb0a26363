import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import type { NetworkFact } from '../operator/daemon/network/fact.ts';
import type { LogsReport } from '../operator/daemon/logs/report.ts';
import { HOST_CONDITION, logReportName, portUsageName } from '../operator/model/host.ts';
import { volumesInNode } from '../scripts/kubernetes/node.ts';
import { slowDisk } from './support/disks.ts';
import { throughout } from './support/eventually.ts';
import { Faults } from './support/faults.ts';
import { CARD, type Host } from './support/host.ts';
import { up } from './support/host-daemons.ts';
import { hostScenario } from './support/host-scenario.ts';
import { HEARTBEAT_MS, NETWORK_MS, PORTS_MS } from './support/host-times.ts';
import { fullProcessTable } from './support/process-table.ts';
import { programsOf } from './support/processes.ts';

const { clientNetworkUnavailable, refreshed, hostReady } = HOST_CONDITION;
const ROOT = '/disk1/polardb';
const WELL = { [hostReady]: 'True AllLoopsWork all loops do their work' };
/** Two heartbeats, and more than the period of every loop that looks at what changes here. */
const AWAY_MS = 75_000;

describe('hosts in trouble', function () {
  this.timeout(240_000);
  const opened = hostScenario('hosts-faults');
  const { scene, daemons } = opened;
  const at = (n: 0 | 1 | 2): Host => opened.hosts[n];
  const network = async ({ name }: Host): Promise<NetworkFact> =>
    (await opened.api.host(name)).facts.network?.fact as NetworkFact;

  before(async () => {
    await Promise.all(opened.hosts.map((host, n) => host.addCard(`192.0.2.${n + 11}/24`)));
    await daemons.nameCard(CARD);
    await Promise.all(opened.hosts.map(({ name }, n) => daemons.says(name, up(`192.0.2.${n + 11}`), NETWORK_MS)));
  });
  after(() => daemons.nameCard('auto'));
  afterEach(() => Promise.all(opened.hosts.map(({ name }) => daemons.isFirst(name))));

  describe('keep the address, and say what is not known, when sshd', () => {
    /** A second address is a question to the host's `ip`, which goes by SSH. */
    const ask = (n: number): Promise<string> =>
      at(1).sh(
        `ip address flush dev ${CARD}; ip address add 192.0.2.12/24 dev ${CARD}; ip address add 192.0.2.${n}/24 dev ${CARD}`,
      );
    const gaps = (says: RegExp | undefined, deadlineMs = NETWORK_MS): Promise<unknown> =>
      scene.eventually(
        `what is not known is ${String(says)}`,
        async () => {
          const fact = await network(at(1));
          expect(fact.clientIp).to.equal('192.0.2.12');
          expect(fact.addresses).to.have.lengthOf(2);
          if (says) expect(fact.gaps.join()).to.match(says);
          else expect(fact.gaps).to.deep.equal([]);
          return true;
        },
        { deadlineMs },
      );
    const isWell = (): Promise<void> => daemons.says(at(1).name, { ...up('192.0.2.12'), ...WELL }, 1_000);
    /** A refused login is tried again every 6 s, give or take a fifth. */
    const REFUSED_MS = NETWORK_MS + 7_200;

    before(async () => {
      await ask(101);
      await gaps(undefined);
    });

    it('is killed', async () => {
      await at(1).sshd.stop();
      await ask(102);
      await gaps(/no SSH connection to 127\.0\.0\.1 port 22/);
      await isWell();
      await at(1).sshd.start();
      await gaps(undefined);
    });

    it('is frozen', async () => {
      await at(1).sshd.signal('SIGSTOP');
      await ask(103);
      await gaps(/has not answered yet/);
      await isWell();
      await at(1).sshd.signal('SIGCONT');
      await gaps(undefined);
    });

    it('shows another key', async () => {
      await at(1).sshd.stop();
      const mend = await at(1).changeHostKey();
      await at(1).sshd.start();
      await ask(104);
      await gaps(/the host shows the key SHA256:.*, which known_hosts does not have for node-2/);
      await isWell();
      await at(1).sshd.stop();
      await mend();
      await at(1).sshd.start();
      await gaps(undefined);
    });

    it('does not let the account in', async () => {
      const right = await readFile(at(1).sshd.path('authorized_keys'), 'utf8');
      await at(1).sshd.stop();
      await at(1).letIn(await readFile(at(1).sshd.path('key.pub'), 'utf8'));
      await at(1).sshd.start();
      await ask(105);
      await gaps(/the host does not let the account root in with this key/);
      await isWell();
      await at(1).letIn(right);
      await gaps(undefined, REFUSED_MS);
    });

    it('can start no process, since the table is full', async () => {
      const mend = await fullProcessTable(await at(1).sshd.pids());
      try {
        await ask(106);
        await gaps(/^addresses of clients0: /);
        await isWell();
      } finally {
        await mend();
      }
      await gaps(undefined);
    });
  });

  it('need no process more: with a full table the daemon does all its work', async () => {
    const { name } = at(2);
    const pids = await programsOf(await daemons.pod(name));
    const mend = await fullProcessTable(pids);
    try {
      await at(2).sh(`ip link set ${CARD} down`);
      await daemons.says(name, { [clientNetworkUnavailable]: `True StateDown ${CARD} StateDown`, ...WELL }, NETWORK_MS);
      await at(2).sh(`ip link set ${CARD} up`);
      await daemons.says(name, { ...up('192.0.2.13'), ...WELL }, NETWORK_MS);
      const { status } = await opened.api.call('admin', 'POST', { node: name, path: '/logs/plan' });
      expect(status).to.equal(200);
    } finally {
      await mend();
    }
  });

  it('look at their cards while a slow disk holds up the clean-up of logs', async () => {
    // The file system of these nodes is in memory; their volumes are on a disk.
    const disk = `${volumesInNode}/hosts-faults`;
    await at(2).sh(`rm -rf ${disk}; mkdir -p ${disk} ${ROOT}; mount --bind ${disk} ${ROOT}`);
    try {
      await cleanUpSlowly();
    } finally {
      await at(2).sh(`umount --lazy ${ROOT}; rm -rf ${disk}`);
    }
  });

  it('are silent while the API server is away, and tell what is true then within one period', async () => {
    const faults = new Faults(scene.local);
    const { name, address } = at(0);
    const ports = async (): Promise<object> => (await daemons.map(portUsageName(name)))?.data ?? {};
    const before = await scene.eventually('ports are published', ports);
    const heardOf = async (): Promise<number> =>
      Date.parse((await daemons.condition(name, refreshed))?.lastHeartbeatTime ?? '');
    const mend = await faults.stopApiServer();
    let close: (() => Promise<void>) | undefined;
    try {
      close = await at(0).script("require('node:net').createServer().listen(5401, '::', () => console.log('open'))");
      await at(0).sh(`ip address flush dev ${CARD}; ip address add 192.0.2.88/24 dev ${CARD}`);
      await throughout(AWAY_MS, () => livesOn(address), 5_000);
      const health = await (await fetch(`http://${address}:8901/healthz`)).text();
      expect(health).to.match(/^\[\+\] network: \d+ s ago/m);
      expect(health).to.match(/^\[-\] ports: .* failures in a row/m);
      const back = Date.now();
      await mend();
      await faults.watchAnew();
      await daemons.says(name, up('192.0.2.88'), NETWORK_MS);
      // What was on its way when the server came back carries the time when it was seen.
      await scene.eventually(
        'its sign of life is of now',
        async () => {
          // Times of conditions are whole seconds.
          expect(await heardOf()).to.be.greaterThan(back - 1_000);
          return true;
        },
        { deadlineMs: HEARTBEAT_MS },
      );
      const wanted = { ...before, 5401: 'the port already use' };
      await scene.eventually(
        'the port is published',
        async () => {
          expect(await ports()).to.deep.equal(wanted);
          return true;
        },
        { deadlineMs: PORTS_MS },
      );
      await Promise.all(opened.hosts.map(host => daemons.says(host.name, WELL, PORTS_MS)));
    } finally {
      await mend();
      await close?.();
    }
  });

  async function cleanUpSlowly(): Promise<void> {
    const { name } = at(2);
    const folder = `${ROOT}/990201/log`;
    const logs = Array.from({ length: 20 }, (_, n) => `${folder}/postgresql-${n}_a.log`);
    await at(2).sh(`mkdir -p ${folder} ${ROOT}/990201/data`);
    for (const log of logs) await at(2).sh(`echo ${log} >${log}; touch -d '2 days ago' ${log}`);
    await at(2).sh(`echo new >${folder}/postgresql-99_a.log`);
    const mend = await slowDisk(scene.local, await daemons.pod(name), 1);
    const since = new Date().toISOString();
    try {
      const { status } = await opened.api.call('admin', 'POST', { node: name, path: '/logs/clean' });
      expect(status).to.equal(202);
      for (const state of ['down', 'up'] as const) {
        await at(2).sh(`ip link set ${CARD} ${state}`);
        const down = { [clientNetworkUnavailable]: `True StateDown ${CARD} StateDown` };
        await daemons.says(name, state === 'up' ? up('192.0.2.13') : down, NETWORK_MS);
      }
      const { loops, facts } = await opened.api.host(name);
      expect(loops.logs.isRunning, 'the clean-up waits for the disk').to.equal(true);
      expect([facts.network?.isCurrent, facts.ports?.isCurrent]).to.deep.equal([true, true]);
      await daemons.says(name, WELL, 1_000);
    } finally {
      await mend();
    }
    const report = await scene.eventually('the clean-up is done', async () => {
      const { startedAt = '', state, report: text = '' } = (await daemons.map(logReportName(name)))?.data ?? {};
      return startedAt >= since && state === 'done' ? (JSON.parse(text) as LogsReport) : undefined;
    });
    expect(report.totals.Compress?.items).to.equal(logs.length);
    const contents = (await at(2).sh(`zcat ${folder}/*.gz`)).trim().split('\n');
    expect(contents).to.have.members(logs);
  }

  async function livesOn(address: string): Promise<void> {
    const { status } = await fetch(`http://${address}:8901/healthz`, { signal: AbortSignal.timeout(5_000) });
    expect(status).to.equal(200);
  }
});
