import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import {
  DAEMON_SUBJECT,
  HOST_CONDITION,
  HOST_FACTS_LABEL,
  logReportName,
  portUsageName,
} from '../operator/model/host.ts';
import { auditMark, auditSince, serviceAccountOf, type AuditEvent } from './support/audit.ts';
import { localSpec } from './support/engine.ts';
import { CARD, type Host } from './support/host.ts';
import { up } from './support/host-daemons.ts';
import { hostScenario } from './support/host-scenario.ts';
import { NETWORK_MS, PORTS_MS } from './support/host-times.ts';
import { programsOf } from './support/processes.ts';
import { SYSTEM_NAMESPACE } from './support/stack.ts';

const { clientIp, clientNetworkUnavailable, refreshed, hostReady, settingsValid } = HOST_CONDITION;

describe('hosts', function () {
  this.timeout(180_000);
  const opened = hostScenario('hosts');
  const { scene, daemons } = opened;
  const at = (n: 0 | 1 | 2): Host => opened.hosts[n];
  /** Takes two periods of a minute, in which the other tests look at other things. */
  let ports: Promise<void>;
  before(() => {
    ports = listenersComeAndGo(at(0));
    // It is told by its own test.
    ports.catch(() => undefined);
  });

  describe('have a daemon each, that', () => {
    it('finds the card by itself, and says that all its loops work', async () => {
      for (const { name, address } of opened.hosts) {
        const wanted = {
          [clientIp]: `True eth0 ${address}`,
          [clientNetworkUnavailable]: 'False StateUP eth0 StateUP',
          [refreshed]: 'True Refresh Refresh',
          [hostReady]: 'True AllLoopsWork all loops do their work',
          [settingsValid]: 'True SettingsAccepted every value is in use',
        };
        await daemons.says(name, wanted, 30_000);
      }
    });

    it('costs two writes a minute when nothing changes, and 140 MiB', async () => {
      for (const [host, writes] of await writesOf(at(1), at(2))) {
        expect(writes.length, `${host}: ${writes.map(describeCall).join(', ')}`).to.be.within(1, 2);
      }
      for (const pod of await daemons.pods()) {
        for (const pid of await programsOf(pod)) {
          const status = await readFile(`/proc/${pid}/status`, 'utf8');
          const mebibytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
          expect(mebibytes, pod.spec?.nodeName).to.be.below(140);
        }
      }
    });

    /** Writes of the daemons of some hosts while nothing happens there for nearly a minute. */
    async function writesOf(...quiet: Host[]): Promise<Map<string, AuditEvent[]>> {
      for (const { name } of quiet) {
        await scene.eventually('the loop that starts last has told', async () => {
          const { state } = (await daemons.map(logReportName(name)))?.data ?? {};
          return state === 'done' ? true : undefined;
        });
      }
      const mark = await auditMark(scene.local.auditLog);
      // Heartbeats come every 28.5 to 31.5 s.
      const end = Date.now() + 56_000;
      const timeOf = ({ requestReceivedTimestamp }: AuditEvent): number => Date.parse(requestReceivedTimestamp);
      const events = await scene.eventually(
        'nearly a minute has passed',
        async () => {
          const all = await auditSince(scene.local.auditLog, mark);
          return all.some(event => timeOf(event) > end) ? all.filter(event => timeOf(event) <= end) : undefined;
        },
        { deadlineMs: 90_000, everyMs: 1_000 },
      );
      const writes = events.filter(
        event => serviceAccountOf(event) === DAEMON && !['get', 'list', 'watch'].includes(event.verb),
      );
      return new Map(quiet.map(({ name, address }) => [name, writes.filter(it => it.sourceIPs?.includes(address))]));
    }
  });

  describe('tell of another card, once it is named, that', () => {
    before(async () => {
      await Promise.all(opened.hosts.map((host, n) => host.addCard(`192.0.2.${n + 11}/24`)));
      await daemons.nameCard(CARD);
    });
    after(() => daemons.nameCard('auto'));

    it('it is looked at within 5 s', async () => {
      const wait = opened.hosts.map(({ name }, n) => daemons.says(name, up(`192.0.2.${n + 11}`), 5_000));
      await Promise.all(wait);
    });

    it('it is up, down, has another address, no address, or is gone', async () => {
      const { name } = at(0);
      const before = await daemons.condition(name, clientIp);
      await at(0).sh(`ip link set ${CARD} down`);
      await daemons.says(
        name,
        { ...up('192.0.2.11'), [clientNetworkUnavailable]: `True StateDown ${CARD} StateDown` },
        NETWORK_MS,
      );
      await at(0).sh(`ip address flush dev ${CARD}; ip address add 192.0.2.77/24 dev ${CARD}`);
      await daemons.says(name, { [clientIp]: `True ${CARD} 192.0.2.77` }, NETWORK_MS);
      await at(0).sh(`ip link set ${CARD} up`);
      await daemons.says(name, up('192.0.2.77'), NETWORK_MS);
      await at(0).sh(`ip address flush dev ${CARD}`);
      await daemons.says(name, { ...up(''), [clientIp]: `False ${CARD} 192.0.2.77` }, NETWORK_MS);
      await at(0).removeCard();
      const gone = { [clientNetworkUnavailable]: `True CardAbsent ${CARD} CardAbsent` };
      await daemons.says(name, { ...gone, [clientIp]: `False ${CARD} 192.0.2.77` }, NETWORK_MS);
      await at(0).addCard('192.0.2.11/24');
      await daemons.says(name, up('192.0.2.11'), NETWORK_MS);
      const after = await daemons.condition(name, clientIp);
      expect(Date.parse(after?.lastTransitionTime ?? '')).to.be.greaterThan(
        Date.parse(before?.lastTransitionTime ?? ''),
      );
      const untouched = await daemons.condition(at(1).name, clientIp);
      expect(untouched?.lastTransitionTime, 'of another host').not.to.equal(untouched?.lastHeartbeatTime);
    });

    it('no instance goes to a host that clients do not reach', async () => {
      const { name } = at(0);
      await at(0).sh(`ip link set ${CARD} down`);
      await daemons.says(name, { [clientNetworkUnavailable]: `True StateDown ${CARD} StateDown` }, NETWORK_MS);
      const database = await scene.newCluster('orders', localSpec(1));
      await database.ready();
      const nodes = (await database.pods()).map(({ spec }) => spec?.nodeName);
      expect(nodes.toSorted()).to.deep.equal([at(1).name, at(2).name]);
      await at(0).sh(`ip link set ${CARD} up`);
    });
  });

  describe('all the while', () => {
    it('publish ports that are opened and closed, in the form of the original', () => ports);
  });

  /** TCP and UDP, of IPv4 and IPv6; ports at both ends of a range, and one beside it. */
  async function listenersComeAndGo(host: Host): Promise<void> {
    const usage = async (): Promise<{ data: object; at: string }> => {
      const map = await daemons.map(portUsageName(host.name));
      expect(map?.metadata.labels).to.deep.equal({ [HOST_FACTS_LABEL]: 'ports' });
      expect(map?.metadata.annotations).to.have.all.keys('updateTimestamp');
      return { data: map?.data ?? {}, at: map?.metadata.annotations?.['updateTimestamp'] ?? '' };
    };
    const until = (what: string, wanted: object): Promise<string> =>
      scene.eventually(
        what,
        async () => {
          const { data, at } = await usage();
          expect(data).to.deep.equal(wanted);
          return at;
        },
        { deadlineMs: PORTS_MS, everyMs: 1_000 },
      );
    const { data: before } = await scene.eventually('ports are published', usage);
    const close = await host.script(LISTENERS);
    const used = Object.fromEntries([5400, 5650, 5651, 5800].map(port => [port, 'the port already use']));
    const opened = await until('open ports are published', { ...before, ...used }).finally(close);
    expect(opened).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const closed = await until('closed ports are free again', before);
    expect(Date.parse(closed)).to.be.greaterThan(Date.parse(opened));
  }
});

const DAEMON = `${SYSTEM_NAMESPACE}:${DAEMON_SUBJECT.name}`;

const LISTENERS = `
const net = require('node:net'), dgram = require('node:dgram');
net.createServer().listen(5400, '127.0.0.1');
net.createServer().listen(5800, '::');
net.createServer().listen(5399, '::');
net.createServer().listen(5650, '::1');
dgram.createSocket('udp4').bind(5651);
setTimeout(() => console.log('open'), 100)`;

const describeCall = ({ verb, requestURI }: AuditEvent): string => `${verb} ${requestURI}`;
