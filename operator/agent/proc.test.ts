import { expect } from 'chai';
import {
  killEverythingElse,
  objectionToNamespace,
  parseStat,
  procTable,
  strangers,
  type ProcessTable,
} from './proc.ts';

describe('processes of the namespace', () => {
  for (const [text, expected] of [
    ['12 (postgres) S 1 12', { command: 'postgres', state: 'S', ppid: 1 }],
    ['12 (a) b (c) R 7 12', { command: 'a) b (c', state: 'R', ppid: 7 }],
  ] as const) {
    it(`reads "${text}"`, () => expect(parseStat(text)).to.deep.equal(expected));
  }

  it('refuses a text of another form', () => expect(() => parseStat('nothing')).to.throw('not the form'));

  it('sees this very process', () =>
    expect(
      procTable()
        .list()
        .some(it => it.pid === process.pid),
    ).to.equal(true));

  it('sends nothing to a process that is gone', () =>
    expect(() => procTable().kill(2 ** 22 - 1, 'SIGKILL')).to.not.throw());

  it('keeps PID 1 and who is named', () => {
    const table = { list: () => [1, 2, 3, 4].map(entry), kill: () => undefined };
    expect(strangers(table, new Set([2, 3])).map(it => it.pid)).to.deep.equal([4]);
  });

  it('kills until nobody is left, also who comes meanwhile', async () => {
    const table = new FakeTable([1, 2, 9, 10], { 9: 3, 10: 1 });
    await killEverythingElse(table, { keep: () => new Set([2]), sleep: () => table.fork(11) });
    expect(table.list().map(it => it.pid)).to.deep.equal([1, 2]);
  });

  it('does not claim a proof while somebody is left', async () => {
    const table = new FakeTable([1, 2, 9], { 9: Infinity });
    const options = { keep: () => new Set([2]), sleep: () => Promise.resolve(), rounds: 5 };
    const error: unknown = await killEverythingElse(table, options).catch((thrown: unknown) => thrown);
    expect(String(error)).to.include('9 (p9)');
  });

  for (const [what, ppid, init, objection] of [
    ['tini as parent', 1, 'tini', undefined],
    ['the static one', 1, 'tini-static', undefined],
    ['a shared namespace', 17, 'tini', 'parent is process 17'],
    ['an agent that was orphaned in one', 1, 'pause', '"pause", not tini'],
    ['the host', 1, 'systemd', '"systemd", not tini'],
  ] as const) {
    it(`${what}: ${objection ?? 'fine'}`, () =>
      objection === undefined
        ? expect(objectionToNamespace(ppid, init)).to.equal(undefined)
        : expect(objectionToNamespace(ppid, init)).to.include(objection));
  }
});

const entry = (pid: number) => ({ pid, ppid: 1, command: `p${pid}` });

class FakeTable implements ProcessTable {
  #pids: Set<number>;
  readonly #lives: Record<number, number>;
  #forked = false;

  /** @param lives how many SIGKILLs it takes until the process is gone */
  constructor(pids: number[], lives: Record<number, number>) {
    this.#pids = new Set(pids);
    this.#lives = lives;
  }

  list = () => [...this.#pids].map(entry);
  kill = (pid: number): void => {
    this.#lives[pid] = (this.#lives[pid] ?? 1) - 1;
    if (this.#lives[pid] <= 0) this.#pids.delete(pid);
  };
  /** Another process comes, once. */
  fork = (pid: number): Promise<void> => {
    if (!this.#forked) this.#pids.add(pid);
    this.#forked = true;
    return Promise.resolve();
  };
}
