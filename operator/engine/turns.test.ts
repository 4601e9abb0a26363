import { expect } from 'chai';
import { Turns } from './turns.ts';

describe('turns', () => {
  it('are taken one after the other, also after one that failed', async () => {
    const turns = new Turns();
    const seen: string[] = [];
    const work = (name: string, end?: Error) => async (): Promise<string> => {
      seen.push(`${name} begins`);
      await Promise.resolve();
      seen.push(`${name} ends`);
      if (end) throw end;
      return name;
    };
    const failing = turns.take(work('a', new Error('failed'))).catch((error: unknown) => String(error));
    const after = turns.take(work('b'));
    expect(await Promise.all([failing, after])).to.deep.equal(['Error: failed', 'b']);
    expect(seen).to.deep.equal(['a begins', 'a ends', 'b begins', 'b ends']);
  });
});
