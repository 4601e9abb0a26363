import { expect } from 'chai';
import type { Database } from './support/database.ts';
import { localSpec } from './support/engine.ts';
import { scenario } from './support/scenario.ts';

/** Within the range of the site, and no other file's. */
const PORT = 5471;

describe('clusters side by side on the same hosts', function () {
  this.timeout(180_000);
  const scene = scenario('network');
  let onHosts: Database;
  let onPods: Database;

  before(async () => {
    onHosts = await scene.newCluster('hosts', localSpec(2, { netCfg: { engineStartPort: PORT } }));
    onPods = await scene.newCluster('pods', localSpec(2));
    await Promise.all([onHosts.ready(), onPods.ready()]);
  });

  it('both serve, each its own data', async () => {
    await Promise.all([onHosts.write('of the hosts'), onPods.write('of the pods')]);
    for (const [database, row] of [
      [onHosts, 'of the hosts'],
      [onPods, 'of the pods'],
    ] as const) {
      for (const service of ['rw', 'ro'] as const) {
        await scene.eventually(`${database.name}-${service} has its row`, async () => {
          expect(await database.rows(service)).to.deep.equal([row]);
          return true;
        });
      }
    }
  });

  it('share each of the three hosts', async () => {
    const nodes = scene.local.nodes.map(node => node.name);
    for (const database of [onHosts, onPods]) {
      const used = (await database.pods()).map(pod => pod.spec?.nodeName);
      expect(used, database.name).to.have.members(nodes);
    }
  });

  it('on the host network use its addresses, the port of the spec and allocated ports for the agent', async () => {
    const { status } = await onHosts.get();
    const addresses = scene.local.nodes.map(node => node.address);
    const nets = Object.values(status?.dbInstanceStatus ?? {}).map(it => it.netInfo);
    expect(nets.map(net => net?.workingHostIP)).to.have.members(addresses);
    for (const net of nets) {
      expect(net).to.include({ netType: 'host', workingPort: PORT });
      expect(net?.agentPort).to.be.within(36_000, 39_999).and.not.equal(net?.healthPort);
    }
    const { port } = await onHosts.application();
    expect(port).to.equal(String(PORT));
  });

  it('a third that wants a taken port is refused by a condition that names it, until the port is given back', async () => {
    const third = await scene.newCluster('third', localSpec(0, { netCfg: { engineStartPort: PORT } }));
    const message = await third.condition('Ready', { status: 'False', says: new RegExp(`\\b${PORT}\\b`) });
    expect(message).to.contain('engineStartPort').and.contain('another');
    expect(await third.pods()).to.deep.equal([]);

    await onHosts.delete();
    await onHosts.gone();
    await third.ready();
    await third.write('on the port of the first');
    expect(await third.rows()).to.deep.equal(['on the port of the first']);
  });
});
