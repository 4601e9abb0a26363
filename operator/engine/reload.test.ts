import { expect } from 'chai';
import { reload } from './reload.ts';
import { FakeEngine } from './testing/fake-engine.ts';

describe('reload', () => {
  const address = { socketDir: '/run', port: 1, user: 'postgres' };
  let fake: FakeEngine;

  beforeEach(() => {
    fake = new FakeEngine();
  });
  const loadTimes = (...answers: string[]) => {
    const rows = () => {
      const answer = answers.shift()!;
      if (!answer.startsWith('at ')) throw Object.assign(new Error('refused'), { code: answer });
      return [{ at: answer }];
    };
    fake.answers = [
      { match: 'pg_conf_load_time', rows },
      { match: 'pending_restart', rows: () => [{ name: 'max_connections' }] },
    ];
  };

  it('waits until the engine has read its files, then tells what waits for a restart', async () => {
    loadTimes('at 1', 'at 1', 'at 1', 'at 2');
    expect(await reload(fake.tools, address)).to.deep.equal(['max_connections']);
    expect(fake.statements.filter(text => text.includes('pg_reload_conf'))).to.have.length(1);
  });

  it('waits for an engine that starts, which may have read the old files', async () => {
    loadTimes('57P03', '57P03', 'at 1', 'at 2');
    expect(await reload(fake.tools, address)).to.deep.equal(['max_connections']);
  });

  it('is not needed when nothing runs', async () => {
    loadTimes('ENOENT');
    expect(await reload(fake.tools, address)).to.equal(undefined);
  });

  it('does not hide what does not pass', async () => {
    loadTimes('28000');
    expect(await reload(fake.tools, address).catch((error: unknown) => error)).to.match(/refused/);
  });
});
