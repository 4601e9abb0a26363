import { expect } from 'chai';
import { FakeClock, settle } from '../../kube/testing/fake-clock.ts';
import { MemoryApi } from '../../kube/testing/memory-api.ts';
import { silentLogger } from '../../kube/testing/support.ts';
import type { ImageService, PresentImage } from './cri.ts';
import { PrePull, type PrePullSettings } from './pre-pull.ts';

const MIB = 2 ** 20;

/** Test only: the runtimes of all hosts and what they pull, in the time of a fake clock. */
class Runtimes {
  readonly clock: FakeClock;
  readonly pulling = new Set<string>();
  readonly pulled: string[] = [];
  mostHosts = 0;

  constructor(clock: FakeClock) {
    this.clock = clock;
  }

  /** Each pull takes 30 s; images with `bad` in their name fail. */
  of(host: string): ImageService {
    return {
      find: (): Promise<PresentImage> => Promise.resolve({ id: 'x', bytes: 600 * MIB }),
      pull: (image, signal) =>
        new Promise((resolve, reject) => {
          this.pulling.add(host);
          this.mostHosts = Math.max(this.mostHosts, this.pulling.size);
          const cancel = this.clock.after(30_000, () => {
            this.pulling.delete(host);
            if (image.includes('bad')) reject(new Error('not found'));
            else resolve(void this.pulled.push(`${host} ${image}`));
          });
          signal.addEventListener('abort', () => {
            cancel();
            this.pulling.delete(host);
            reject(signal.reason as Error);
          });
        }),
      close: () => undefined,
    };
  }
}

describe('pulling images ahead', () => {
  let clock: FakeClock;
  let api: MemoryApi;
  let runtimes: Runtimes;
  let settings: PrePullSettings;
  let looks: number;
  const pulls: PrePull[] = [];
  const host = (name: string): PrePull => {
    const pull = new PrePull({
      client: api.client(),
      namespace: 'polardb-system',
      host: name,
      identity: `${name}_1`,
      log: silentLogger,
      clock,
      random: () => 0.5,
      settings: () => settings,
      connect: () => runtimes.of(name),
      onPulled: () => looks++,
    });
    pulls.push(pull);
    return pull;
  };
  /** In steps, since calls to the server take turns of the event loop between two timers. */
  const pass = async (ms: number): Promise<void> => {
    for (let gone = 0; gone < ms; gone += 1_000) {
      await clock.advance(1_000);
      for (let n = 0; n < 5; n++) await settle();
    }
  };

  beforeEach(() => {
    clock = new FakeClock();
    api = new MemoryApi(() => clock.date());
    runtimes = new Runtimes(clock);
    settings = { isOn: true, hosts: 1, mibPerSecond: 0 };
    looks = 0;
  });
  afterEach(() => Promise.all(pulls.splice(0).map(pull => pull.stop())));

  it('is off unless it is switched on', async () => {
    settings.isOn = false;
    host('a').want(['x:1']);
    await pass(60_000);
    expect(runtimes.pulled).to.deep.equal([]);
    expect(api.snapshot().size).to.equal(0);
  });

  it('one image after the other; one that fails holds up no other, and comes again with the next check', async () => {
    const pull = host('a');
    pull.want(['bad:1', 'x:1', 'x:2']);
    await pass(100_000);
    expect(runtimes.pulled).to.deep.equal(['a x:1', 'a x:2']);
    expect(looks).to.equal(2);
    pull.want(['bad:1']);
    await pass(10_000);
    expect([...runtimes.pulling]).to.deep.equal(['a']);
  });

  it('a check in between does not begin anew', async () => {
    const pull = host('a');
    pull.want(['x:1', 'x:2']);
    await pass(31_000);
    pull.want(['x:2', 'x:3']);
    await pass(70_000);
    expect(runtimes.pulled).to.deep.equal(['a x:1', 'a x:2', 'a x:3']);
  });

  for (const slots of [1, 2]) {
    it(`no more than ${slots} of 12 hosts at a time, and all of them in the end`, async () => {
      settings.hosts = slots;
      const names = Array.from({ length: 12 }, (_, n) => `host-${n}`);
      for (const name of names) host(name).want(['x:1']);
      await pass(12 * 60_000);
      expect(runtimes.mostHosts).to.equal(slots);
      expect(runtimes.pulled.toSorted()).to.deep.equal(names.map(name => `${name} x:1`).sort());
    });
  }

  it('keeps its slot until the average is as slow as the limit', async () => {
    settings.mibPerSecond = 10;
    host('a').want(['x:1', 'x:2']);
    await pass(59_000);
    expect(runtimes.pulled).to.deep.equal(['a x:1']);
    await pass(33_000);
    expect(runtimes.pulled).to.deep.equal(['a x:1', 'a x:2']);
    host('b').want(['x:1']);
    await pass(20_000);
    expect([...runtimes.pulling]).to.deep.equal([]);
  });

  for (const [what, end] of [
    [
      'switched off',
      (pull: PrePull): void => {
        settings.isOn = false;
        pull.want(['x:1']);
      },
    ],
    ['nothing is missing any more', (pull: PrePull): void => pull.want([])],
    ['the daemon ends', (pull: PrePull): void => void pull.stop()],
  ] as const) {
    it(`${what}: a pull is called off, and the slot is free`, async () => {
      const pull = host('a');
      pull.want(['x:1']);
      await pass(10_000);
      expect([...runtimes.pulling]).to.deep.equal(['a']);
      end(pull);
      await pass(1_000);
      expect([...runtimes.pulling]).to.deep.equal([]);
      settings.isOn = true;
      host('b').want(['x:1']);
      await pass(10_000);
      expect([...runtimes.pulling]).to.deep.equal(['b']);
    });
  }
});
