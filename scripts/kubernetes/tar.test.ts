import { expect } from 'chai';
import { run } from './run.ts';
import { tar } from './tar.ts';

describe('tar', () => {
  it('is what tar(1) reads', async () => {
    const archive = tar([
      { name: 'empty', mode: 0o600, content: Buffer.alloc(0) },
      { name: 'program', mode: 0o755, content: Buffer.alloc(513, 'x') },
    ]);
    const listing = await run('tar', ['-tvf', '-'], { input: archive.toString('latin1') });
    expect(listing).to.match(/^-rw------- 0\/0 +0 .* empty\n-rwxr-xr-x 0\/0 +513 .* program\n$/);
  });

  it('refuses what it cannot say', () =>
    expect(() => tar([{ name: 'x'.repeat(101), mode: 0, content: Buffer.alloc(0) }])).to.throw('too long'));
});
