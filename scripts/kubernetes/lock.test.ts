import { expect } from 'chai';
import { locked } from './lock.ts';

describe('lock of a local cluster', () => {
  it('lets one in at a time and frees itself after a failure', async () => {
    const log: string[] = [];
    const visit = (who: string): Promise<void> =>
      locked(`test-${process.pid}`, async () => {
        log.push(`${who} in`);
        await new Promise(setImmediate);
        log.push(`${who} out`);
        if (who === 'a') throw new Error('a fails');
      });
    const results = await Promise.allSettled([visit('a'), visit('b')]);
    expect(results.map(result => result.status)).to.deep.equal(['rejected', 'fulfilled']);
    expect(log).to.deep.equal(['a in', 'a out', 'b in', 'b out']);
  });
});
