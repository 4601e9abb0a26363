import { expect } from 'chai';
import { localSpec } from '../support/engine.ts';
import { FailoverTrial } from '../support/failover.ts';
import { engineProcesses, hasEngine, signal } from '../support/processes.ts';
import { scenario } from '../support/scenario.ts';

describe('failover: processes of the RW', function () {
  this.timeout(300_000);
  const scene = scenario('processes');
  let trial: FailoverTrial;

  before(async () => {
    const database = await scene.newCluster('db', localSpec(2));
    trial = new FailoverTrial(scene, database, { instances: 3, members: 2 });
    await trial.well();
  });

  it('its first engine process is killed', async () => {
    await trial.survives(async ({ rw }) => {
      const { node, postmaster } = await engineProcesses(scene.local, rw);
      await signal(scene.local, node, 'KILL', [postmaster!]);
    });
  });

  it('one backend is killed: the engine recovers by itself, and nobody else is granted', async () => {
    const { before, after } = await trial.survives(async ({ rw }) => {
      const { node, children } = await engineProcesses(scene.local, rw);
      const backend = children.find(({ what }) => what.includes('idle') || what.includes('INSERT'));
      await signal(scene.local, node, 'KILL', [backend!.pid]);
    });
    expect(after.record.epoch).to.equal(before.record.epoch);
    expect(after.rw.metadata.uid).to.equal(before.rw.metadata.uid);
  });

  it('its engine hangs', async () => {
    await trial.survives(async ({ rw, load }) => {
      const { node, postmaster, children } = await engineProcesses(scene.local, rw);
      const pids = [postmaster!, ...children.map(({ pid }) => pid)];
      await signal(scene.local, node, 'STOP', pids);
      await load.writes(60_000);
      // Whoever is still there must not go on where it stood.
      const left = await hasEngine(scene.local, rw);
      if (left) await signal(scene.local, node, 'CONT', pids);
    });
  });

  it('its agent is killed, and the container with it', async () => {
    await trial.survives(async ({ rw }) => {
      const { node, agent } = await engineProcesses(scene.local, rw);
      await signal(scene.local, node, 'KILL', [agent]);
    });
  });

  it('its agent hangs, and goes on after the failover', async () => {
    const { before, after } = await trial.survives(async ({ rw, load }) => {
      const { node, agent } = await engineProcesses(scene.local, rw);
      await signal(scene.local, node, 'STOP', [agent]);
      await scene.eventually(
        'its guard ended the engine',
        async () => !(await hasEngine(scene.local, rw)) || undefined,
      );
      await load.writes();
      await signal(scene.local, node, 'CONT', [agent]);
    });
    expect(after.record.epoch).to.be.greaterThan(before.record.epoch);
  });

  it('its agent and guard hang', async () => {
    await trial.survives(async ({ rw, load }) => {
      const { node, agent, guard } = await engineProcesses(scene.local, rw);
      await signal(scene.local, node, 'STOP', [agent, guard!]);
      await load.writes(60_000).catch(() => undefined);
      await signal(scene.local, node, 'CONT', [agent, guard!]);
    });
  });
});
