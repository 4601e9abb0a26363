import { expect } from 'chai';
import { KubeClient } from '../../operator/kube/client.ts';
import { findCredentials } from '../../operator/kube/credentials.ts';
import { RESOURCES } from '../../operator/kube/resources.ts';
import { HOST_CONDITION, HOST_FACTS_STALE, portUsageName } from '../../operator/model/host.ts';
import { controlPlane } from '../support/control-plane.ts';
import { eventually } from '../support/eventually.ts';
import { HostFleet } from '../support/fleet/hosts.ts';
import { installKinds } from '../support/kinds.ts';
import { settingsMaps } from '../support/settings-maps.ts';

const namespace = `host-settings-${process.pid}`;
const HOST = 'host-0';
/** From a changed setting to what it does. */
const patience = { deadlineMs: 5_000, everyMs: 50 };

describe('settings of hosts, real API server', function () {
  this.timeout(60_000);
  let client: KubeClient;
  let fleet: HostFleet;

  before(async function () {
    this.timeout(900_000);
    const plane = await controlPlane();
    const credentials = findCredentials({ kubeconfig: plane.kubeconfig });
    client = new KubeClient({ credentials, fieldManager: 'test' });
    await installKinds(plane, client);
    await client.create(RESOURCES.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    fleet = await HostFleet.open({ client, credentials, settingsNamespace: namespace });
    const site = { settingsNamespace: namespace, systemNamespace: namespace, network: { clientCard: fleet.card } };
    for (const map of await settingsMaps(site)) {
      if (map.metadata.namespace === namespace) await client.create(RESOURCES.configMaps, map);
    }
    await fleet.start(1);
    await eventually('the host has told', async () => {
      expect(await condition(HOST_CONDITION.hostReady)).to.match(/^True AllLoopsWork/);
      return true;
    });
  });

  after(async () => {
    await fleet.stop();
    await client.delete(RESOURCES.nodes, { name: HOST });
    await client.delete(RESOURCES.namespaces, { name: namespace });
    await client.close();
  });

  const set = (name: string, patch: object): Promise<unknown> =>
    client.patchMerge(RESOURCES.configMaps, { namespace, name }, patch);
  const ports = () => client.get(RESOURCES.configMaps, { namespace, name: portUsageName(HOST) });
  const condition = async (type: string): Promise<string> => {
    const { status } = (await client.get(RESOURCES.nodes, { name: HOST })) ?? {};
    const found = status?.conditions?.find(it => it.type === type);
    return found ? `${found.status} ${found.reason} ${found.message}` : 'none';
  };
  const says = (type: string, words: string): Promise<unknown> =>
    eventually(
      `${type} says ${words}`,
      async () => {
        expect(await condition(type)).to.equal(words);
        return true;
      },
      patience,
    );

  it('another card is looked at within 5 s', async () => {
    await set('ccm-config', { data: { NET_CARD_NAME: 'other0' } });
    await says(HOST_CONDITION.clientNetworkUnavailable, 'True CardAbsent other0 CardAbsent');
  });

  it('a card that can be none changes nothing, and is told by map and key within 5 s', async () => {
    await set('ccm-config', { data: { NET_CARD_NAME: 'no card' } });
    const words = 'ccm-config NET_CARD_NAME: "no card" is not the name of a network card';
    await says(HOST_CONDITION.settingsValid, `False SettingsInvalid ${words}`);
    expect(await condition(HOST_CONDITION.clientNetworkUnavailable)).to.equal('True CardAbsent other0 CardAbsent');
    const events = await eventually('an Event', async () => {
      const found = await client.list(RESOURCES.events, { fieldSelector: 'reason=SettingsInvalid' });
      const own = found.filter(({ regarding }) => regarding?.name === HOST);
      return own.length > 0 ? own : undefined;
    });
    expect(events[0]?.note).to.contain(words);
    await set('ccm-config', { data: { NET_CARD_NAME: fleet.card } });
    await says(HOST_CONDITION.settingsValid, 'True SettingsAccepted every value is in use');
  });

  it('another range of ports is watched within 5 s', async () => {
    expect((await ports())?.data).not.to.have.property('5310');
    await set('polardb4mpd-controller', { metadata: { annotations: { 'site.port.range': '5310-5311' } } });
    await eventually(
      'its ports are told',
      async () => {
        expect((await ports())?.data).to.include({ 5310: 'the port already use', 5311: 'the port already use' });
        return true;
      },
      patience,
    );
  });

  it('a switch acts within 5 s, and what it leaves behind says that it is not kept up', async () => {
    const before = await ports();
    const stale = (wanted: RegExp): Promise<unknown> =>
      eventually(
        `the map says ${wanted.source}`,
        async () => {
          const map = await ports();
          expect(map?.metadata.annotations?.[HOST_FACTS_STALE] ?? 'nothing').to.match(wanted);
          expect(map?.data).to.deep.equal(before?.data);
          return true;
        },
        patience,
      );
    await stale(/^nothing$/);
    await set('controller-config', { data: { enablePrintPort: 'F' } });
    await stale(/^20\S+Z switched off by enablePrintPort$/);
    await set('controller-config', { data: { enablePrintPort: 'T' } });
    await stale(/^nothing$/);
  });
});
