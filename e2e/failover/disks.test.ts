import { expect } from 'chai';
import { failures } from '../../scripts/load/report.ts';
import { slowDisk, smallDisks, type SmallDisks } from '../support/disks.ts';
import { localSpec } from '../support/engine.ts';
import { newTrial, type FailoverTrial } from '../support/failover.ts';
import { scenario } from '../support/scenario.ts';

describe('failover: disks', function () {
  this.timeout(300_000);
  const scene = scenario('disks');
  let disks: SmallDisks;
  let trial: FailoverTrial;

  before(async () => {
    disks = await smallDisks(scene);
    const spec = localSpec(2, { storage: { size: '512Mi', className: disks.className } });
    ({ trial } = await newTrial(scene, { spec }));
  });
  // The scenario has ended before: its clusters are gone.
  after(() => disks.remove());

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
    const slow = await newTrial(scene, { name: 'slow' });
    const { before, after } = await slow.trial.survives(async ({ rw, load }) => {
      const mend = await slowDisk(scene.local, rw, 20);
      try {
        for (let i = 0; i < 50; i++) await load.writes();
      } finally {
        await mend();
      }
    });
    expect(after.record.epoch).to.equal(before.record.epoch);
    await slow.database.delete();
    await slow.database.gone();
  });
});
