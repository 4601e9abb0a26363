import { expect } from 'chai';
import { formatIncarnation, isSameIncarnation, type Incarnation } from '../ha/incarnation.ts';
import { FakeClock } from '../kube/testing/fake-clock.ts';
import { Members } from './members.ts';
import { FakeAgents } from './testing/fake-agents.ts';
import { incarnationOf, one, podOf, reportOf, targetFor, two } from './testing/samples.ts';

const target = targetFor();

describe('streams to the members', () => {
  let clock: FakeClock;
  let agents: FakeAgents;
  let members: Members;
  let news: number;
  let holder: Incarnation | undefined;
  let watched: Incarnation | undefined;

  beforeEach(() => {
    clock = new FakeClock();
    agents = new FakeAgents();
    news = 0;
    holder = watched = undefined;
    members = new Members({
      agents,
      clock,
      times: () => ({ silentMs: 1_500, beatMs: 500 }),
      beat: () => ({ cm: 'cm', isLeader: true }),
      watched: () => watched,
      isMember: who => who.instanceId === '1002',
      mayAnswer: from => holder !== undefined && isSameIncarnation(holder, from),
      heard: () => undefined,
      news: () => news++,
    });
    members.see(target, [podOf('1001'), podOf('1002')]);
  });
  afterEach(() => members.close());

  const connect = (): void => {
    for (const stream of agents.streams) stream.opened();
  };

  it('there is one to each pod with an address, with the name of its certificate', () => {
    expect(agents.streams.map(it => it.endpoint)).to.deep.equal([
      { address: '10.0.0.1', port: 8443, serverName: 'orders-1001-1001' },
      { address: '10.0.0.2', port: 8443, serverName: 'orders-1002-1002' },
    ]);
    expect(members.streams).to.equal(0);
    connect();
    expect(members.streams).to.equal(2);
  });

  it('they follow the pods', () => {
    members.see(target, [podOf('1001'), podOf('1002', { podIP: '10.0.0.9' })]);
    expect(agents.to('10.0.0.2').isClosed).to.equal(true);
    expect(agents.to('10.0.0.9').isClosed).to.equal(false);
    members.see(undefined, []);
    expect(agents.streams.every(it => it.isClosed)).to.equal(true);
  });

  it('a beat goes out at once, then with each period; peers are those that were heard', async () => {
    connect();
    const stream = agents.to('10.0.0.1');
    expect(stream.beats).to.deep.equal([{ cm: 'cm', isLeader: true, peers: [] }]);
    agents.to('10.0.0.2').report(reportOf(two));
    await clock.advance(1_000);
    expect(stream.beats).to.have.length(3);
    expect(stream.beats.at(-1)?.peers).to.deep.equal([
      {
        incarnation: formatIncarnation(two),
        address: '10.0.0.2',
        port: 8443,
        serverName: 'orders-1002-1002',
        isMember: true,
      },
    ]);
  });

  it('a report is answered at once when it may be, and with its nonce', () => {
    connect();
    holder = one;
    agents.to('10.0.0.1').report(reportOf(one, { nonce: 'n7' }));
    agents.to('10.0.0.2').report(reportOf(two, { nonce: 'n8' }));
    expect(agents.to('10.0.0.1').beats.at(-1)?.answer).to.equal('n7');
    expect(agents.to('10.0.0.2').beats.every(it => it.answer === undefined)).to.equal(true);
  });

  it('only what calls for a decision is news', () => {
    connect();
    const stream = agents.to('10.0.0.1');
    const engine = { state: 'running', acceptsWrites: true, timeline: 1 } as const;
    for (const [report, expected] of [
      [{ engine: { ...engine, lsn: '0/1' } }, 1],
      [{ engine: { ...engine, lsn: '0/2' }, nonce: 'other' }, 1],
      [{ engine: { ...engine, lsn: '0/2' }, right: { kind: 'answer', remainingMs: 2_000 } }, 2],
      [{ engine: { ...engine, lsn: '0/3' }, right: { kind: 'answer', remainingMs: 1_500 } }, 2],
      [{ engine: { state: 'crashed', acceptsWrites: false } }, 3],
    ] as const) {
      stream.report(reportOf(one, report));
      expect(news).to.equal(expected);
    }
  });

  it('silence is news, and a stream that stays silent is begun anew', async () => {
    connect();
    const stream = agents.to('10.0.0.1');
    stream.report(reportOf(one));
    const before = news;
    await clock.advance(1_501);
    expect(news).to.equal(before);
    await clock.advance(1);
    // Both: the other one never said a word since it connected.
    expect(news).to.equal(before + 2);
    await clock.advance(1_502);
    expect(stream.isClosed).to.equal(true);
    stream.break();
    await clock.advance(100);
    expect(agents.to('10.0.0.1')).to.not.equal(stream);
  });

  it('silence is told in time though the stream ended before, and each attempt to begin it anew fails at once', async () => {
    connect();
    agents.to('10.0.0.1').report(reportOf(one));
    agents.to('10.0.0.1').break();
    await clock.advance(100);
    agents.to('10.0.0.1').break();
    const before = news;
    members.see(target, [podOf('1001')]);
    await clock.advance(1_402);
    expect(news).to.equal(before + 1);
  });

  it('when the RW falls silent the others are asked at once, and what they find about this silence counts', async () => {
    watched = one;
    connect();
    agents.to('10.0.0.1').report(reportOf(one, { nonce: 'n7' }));
    const other = agents.to('10.0.0.2');
    const about = { incarnation: formatIncarnation(one), address: '10.0.0.1', port: 8443 };
    const silent = { ...about, serverName: 'orders-1001-1001', since: 'n7' };
    const found = { incarnation: about.incarnation, reached: false };
    await clock.advance(1_490);
    expect(other.beats.every(it => it.silent === undefined)).to.equal(true);
    await clock.advance(12);
    expect(other.beats.at(-1)?.silent).to.deep.equal(silent);
    const before = news;
    other.report(reportOf(two, { probe: { ...found, since: 'n6' } }));
    expect(members.probes()).to.deep.equal([]);
    other.report(reportOf(two, { probe: { ...found, since: 'n7' } }));
    expect(members.probes()).to.deep.equal([{ by: two, about: one, reached: false, at: clock.now() }]);
    expect(news).to.equal(before + 2);
    agents.to('10.0.0.1').report(reportOf(one, { nonce: 'n8' }));
    expect(members.probes()).to.deep.equal([]);
    await clock.advance(500);
    expect(other.beats.at(-1)?.silent).to.equal(undefined);
  });

  it('a broken stream is begun anew, ever more slowly until it brings a report', async () => {
    const begun: number[] = [];
    for (let i = 0; i < 6; i++) {
      const count = agents.streams.length;
      const at = clock.now();
      agents.to('10.0.0.1').break();
      while (agents.streams.length === count) await clock.advance(50);
      begun.push(clock.now() - at);
    }
    expect(begun).to.deep.equal([100, 200, 400, 800, 1_000, 1_000]);
  });

  it('without a certificate nobody is dialled, and with it all are', async () => {
    const waiting = new FakeAgents();
    waiting.hasCertificate = false;
    const others = new Members({
      agents: waiting,
      clock,
      times: () => ({ silentMs: 1_500, beatMs: 500 }),
      beat: () => ({ cm: 'cm', isLeader: false }),
      watched: () => undefined,
      isMember: () => false,
      mayAnswer: () => false,
      heard: () => undefined,
      news: () => undefined,
    });
    others.see(target, [podOf('1001')]);
    await clock.advance(150);
    expect(waiting.streams).to.have.length(0);
    waiting.hasCertificate = true;
    await clock.advance(1_000);
    expect(waiting.streams).to.have.length(1);
    others.close();
  });

  it('an agent speaks only for its own pod, and its newest incarnation only for itself', () => {
    connect();
    const stream = agents.to('10.0.0.1');
    stream.report(reportOf(incarnationOf('1003')));
    expect(members.reports()).to.deep.equal([]);
    stream.report(reportOf(one));
    stream.report(reportOf(incarnationOf('1001', 2)));
    expect(members.reports().map(it => it.incarnation)).to.deep.equal([incarnationOf('1001', 2)]);
    expect(members.podOf(one).address).to.equal('10.0.0.1');
    expect(() => members.podOf(incarnationOf('1003'))).to.throw('has no address');
  });
});
