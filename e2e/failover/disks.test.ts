import { expect } from 'chai';
import { failures } from '../../scripts/load/report.ts';
import type { Database } from '../support/database.ts';
import { slowDisk, smallDisks, type SmallDisks } from '../support/disks.ts';
import { localSpec } from '../support/engine.ts';
import { FailoverTrial } from '../support/failover.ts';
import { scenario } from '../support/scenario.ts';

describe('failover: disks', function () {
  this.timeout(300_000);
  const scene = scenario('disks');
  let disks: SmallDisks;
  let database: Database;
  let trial: FailoverTrial;

  before(async () => {
    disks = await smallDisks(scene);
    database = await scene.newCluster('db', localSpec(2, { storage: { size: '512Mi', className: disks.className } }));
    trial = new FailoverTrial(scene, database, { instances: 3, members: 2 });
    await trial.well();
  });
  after(async () => {
    await database.delete();
    await database.gone();
    await disks.remove();
  });

  it('the disk of the RW is full: it stays the RW, and writes again when there is room', async () => {
    const { before, after, events } = await trial.survives(async ({ node, load }) => {
      const empty = await disks.fill(node);
      try {
        await scene.eventually('a row is refused for want of room', () => {
          return failures(load.events).find(({ code }) => code === '53100');
        });
      } finally {
        await empty();
      }
    });
    expect(failures(events).some(({ code }) => code === '53100')).to.be.true;
    expect(after.record.epoch).to.equal(before.record.epoch);
  });

  it('the disk of the RW is slow: it stays the RW', async () => {
    const other = await scene.newCluster('slow', localSpec(2));
    const slow = new FailoverTrial(scene, other, { instances: 3, members: 2 });
    const { before, after } = await slow.survives(async ({ rw, load }) => {
      const mend = await slowDisk(scene.local, rw, 20);
      try {
        for (let i = 0; i < 50; i++) await load.writes();
      } finally {
        await mend();
      }
    });
    expect(after.record.epoch).to.equal(before.record.epoch);
    await other.delete();
    await other.gone();
  });
});
