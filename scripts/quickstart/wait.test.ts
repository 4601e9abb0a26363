import { expect } from 'chai';
import { waitUntil, type Clock } from './wait.ts';

/** Answers in turn, the last one for ever, on a clock that only waiting moves. */
function world(...answers: (string | undefined | Error)[]) {
  let now = 0;
  const clock: Clock = {
    now: () => now,
    sleep: ms => {
      now += ms;
      return Promise.resolve();
    },
  };
  const look = (): Promise<string | undefined> => {
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  return { clock, look };
}

const patience = { sameSeconds: 60, seconds: 300 };

describe('waiting', () => {
  it('ends when nothing is missing, and tells what was', async () => {
    const { clock, look } = world('no pod', 'no pod', 'pod is starting', undefined);
    const told: string[] = [];
    await waitUntil(look, reason => told.push(reason), patience, clock);
    expect(told).to.deep.equal(['no pod', 'no pod', 'pod is starting']);
    expect(clock.now()).to.equal(1500);
  });

  it('takes a failed look for a reason', async () => {
    const { clock, look } = world(new Error('connection refused'), undefined);
    const told: string[] = [];
    await waitUntil(look, reason => told.push(reason), patience, clock);
    expect(told).to.deep.equal(['connection refused']);
  });

  const failure = (look: () => Promise<string | undefined>, clock: Clock): Promise<unknown> =>
    waitUntil(look, () => undefined, patience, clock).catch((error: unknown) => error);

  it('gives up when the same is missing for too long', async () => {
    const { clock, look } = world('pod is starting', 'no node fits');
    expect(String(await failure(look, clock))).to.contain('no node fits (for 60 s)');
    expect(clock.now()).to.equal(60_500);
  });

  it('gives up in the end though something changes', async () => {
    const { clock } = world();
    let n = 0;
    const look = (): Promise<string> => Promise.resolve(`${n++}`);
    expect(String(await failure(look, clock))).to.contain('gave up after 300 s');
  });
});
