import { expect } from 'chai';
import { Progress } from './progress.ts';

describe('quickstart progress', () => {
  let text = '';
  let now = 0;
  const shown = (isTTY: boolean, columns?: number): Progress => {
    text = '';
    now = 0;
    return new Progress({ isTTY, columns, write: more => (text += more) }, () => now);
  };

  it('writes a line per finished step, and each reason of a wait once', async () => {
    const progress = shown(false);
    await progress.step('cluster Ready', tell => {
      now += 1200;
      tell('pod is starting');
      tell('pod is starting');
      now += 300;
      return Promise.resolve();
    });
    progress.close();
    expect(text).to.equal('…   1.2 s  cluster Ready: pod is starting\n✓   1.5 s  cluster Ready\n');
  });

  it('marks the step that failed and lets the failure pass', async () => {
    const progress = shown(false);
    const failed: unknown = await progress
      .step('images', () => Promise.reject(new Error('no space')))
      .catch((error: unknown) => error);
    progress.close();
    expect(String(failed)).to.contain('no space');
    expect(text).to.equal('✗   0.0 s  images\n');
  });

  it('shows the steps of work that reports by itself', () => {
    const progress = shown(false);
    progress.report({ name: '3 nodes Ready', state: 'running', seconds: 0 });
    progress.report({ name: '3 nodes Ready', state: 'done', seconds: 25 });
    progress.close();
    expect(text).to.equal('✓  25.0 s  3 nodes Ready\n');
  });

  it('draws running steps over on a terminal, no wider than it is', () => {
    const progress = shown(true, 21);
    progress.report({ name: 'a step with a long name', state: 'running', seconds: 0 });
    progress.close();
    expect(text).to.equal('…   0.0 s  a step wi\n\x1b[1A\x1b[J');
  });
});
