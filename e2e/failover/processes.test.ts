import { expect } from 'chai';
import type { Database } from '../support/database.ts';
import { newTrial, type FailoverTrial } from '../support/failover.ts';
import { DatabaseLoad } from '../support/load.ts';
import { engineOf, engineProcesses, hasEngine, killPostmaster, signal } from '../support/processes.ts';
import { scenario } from '../support/scenario.ts';

describe('failover: processes of the RW', function () {
  this.timeout(300_000);
  const scene = scenario('processes');
  let database: Database;
  let trial: FailoverTrial;

  before(async () => {
    ({ database, trial } = await newTrial(scene));
  });

  it('its first process is killed: the backends that it leaves acknowledge nothing that is lost', async () => {
    await trial.survives(({ rw }) => killPostmaster(rw));
  });

  it('one backend is killed: the engine recovers by itself, and nobody else is granted', async () => {
    const { before, after } = await trial.survives(async ({ rw }) => {
      const { children } = await engineProcesses(rw);
      const backend = children.find(({ what }) => /^app .* (idle|INSERT)/.test(what));
      signal('SIGKILL', [backend!.pid]);
    });
    expect(after.record.epoch).to.equal(before.record.epoch);
    expect(after.rw.metadata.uid).to.equal(before.rw.metadata.uid);
  });

  it('its engine hangs', async () => {
    await trial.survives(async ({ rw, load, faults }) => {
      const resume = faults.pause(engineOf(await engineProcesses(rw)));
      await load.writes(60_000);
      // Whoever is still there must not go on where it stood.
      await resume();
    });
  });

  it('its agent is killed, and the container with it', async () => {
    await trial.survives(async ({ rw }) => {
      const { agent } = await engineProcesses(rw);
      signal('SIGKILL', [agent]);
    });
  });

  it('its agent hangs, and goes on after the failover', async () => {
    const { before, after } = await trial.survives(async ({ rw, load, faults }) => {
      const { agent } = await engineProcesses(rw);
      const resume = faults.pause([agent]);
      await scene.eventually('its guard ended the engine', async () => !(await hasEngine(rw)) || undefined);
      await load.writes();
      await resume();
    });
    expect(after.record.epoch).to.be.greaterThan(before.record.epoch);
  });

  it('its agent and guard hang beyond the end of its right: what it goes on to acknowledge is kept', async () => {
    await trial.survives(async ({ rw, load, faults }) => {
      const beside = await DatabaseLoad.start(scene, database, rw);
      const { agent, guard } = await engineProcesses(rw);
      const resume = faults.pause([agent, guard!]);
      // Nobody is left to end it; its members do not reach the agent, cut themselves off and go on without it.
      await trial.successor(rw.metadata.uid);
      await resume();
      await load.writes(60_000);
      expect((await beside.end()).verdict.lost).to.deep.equal([]);
    });
  });
});
