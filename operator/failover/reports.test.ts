import { expect } from 'chai';
import { formatIncarnation } from '../ha/incarnation.ts';
import { heardReport, type ReportContext } from './reports.ts';
import { note, one, podOf, reportOf, two } from './testing/samples.ts';

const context: ReportContext = {
  pod: podOf('1001'),
  at: (address, port) => (address === '10.0.0.2' && port === 5432 ? two : undefined),
};
const upstream = { host: 'orders-rw.shop.svc', address: '10.0.0.2', port: 5432, slot: 's' };

describe('what an agent said, in the words of decisions', () => {
  it('an engine that is stopped, in a pod that runs', () =>
    expect(heardReport({ incarnation: one, report: reportOf(one), at: 7 }, context)).to.deep.equal({
      incarnation: one,
      heardAt: 7,
      askedAtEpoch: 0,
      leaving: false,
      container: note,
      volume: { state: 'initialized', clusterUid: '7a1c5a3e-0000-4000-8000-000000000001', epoch: 1 },
      engine: { state: 'stopped', acceptsWrites: false },
      plan: { role: 'stopped' },
    }));

  it('is younger than the beat that it echoes', () => {
    const echo = { clusterUid: 'u', epoch: 4, term: 1, generation: 1 };
    const report = reportOf(one, { echo });
    expect(heardReport({ incarnation: one, report, at: 7 }, context).askedAtEpoch).to.equal(4);
  });

  it('a follower: its position, whence it streams, whom it shall follow', () => {
    const report = reportOf(one, {
      engine: { state: 'running', role: 'ro', acceptsWrites: false, timeline: 2, lsn: '1/10' },
      receiver: { streaming: true, upstreamAddress: '10.0.0.2' },
      plan: { role: 'ro', upstream },
      prepared: { epoch: 3, timeline: 2, lsn: '1/20', promiseAgeMs: 1 },
      promiseAgeMs: 900,
    });
    expect(heardReport({ incarnation: one, report, at: 7 }, context)).to.deep.include({
      position: { timeline: 2, lsn: 0x1_0000_0010n },
      receiver: { streaming: true, from: two },
      plan: { role: 'ro', upstream: two },
      prepared: { epoch: 3, promiseAgeMs: 900, timeline: 2, lsn: 0x1_0000_0020n },
    });
  });

  it('an RW: its senders and whom commits wait for', () => {
    const name = formatIncarnation(two);
    const report = reportOf(one, {
      senders: [
        { incarnation: name, flushedLsn: '0/30', state: 'streaming' },
        { incarnation: 'pg_basebackup', state: 'backup' },
      ],
      quorum: { generation: 3, members: [name], k: 1, isInEffect: true },
    });
    expect(heardReport({ incarnation: one, report, at: 7 }, context)).to.deep.include({
      senders: [{ incarnation: two, state: 'streaming', flushed: 0x30n }],
      quorum: { generation: 3, members: [two], k: 1, isInEffect: true },
    });
  });

  for (const [what, pod, leaving] of [
    ['was told to end', undefined, true],
    ['is gone', undefined, true],
    ['was made again under its name', { ...podOf('1001'), metadata: { ...podOf('1001').metadata, uid: 'b' } }, true],
  ] as const) {
    it(`a pod that ${what} is leaving, and where it runs is not known`, () => {
      const heard = heardReport({ incarnation: one, report: reportOf(one), at: 7 }, { ...context, pod });
      expect([heard.leaving, heard.container]).to.deep.equal([leaving, undefined]);
    });
  }

  it('an agent that has seen SIGTERM is leaving', () => {
    const report = reportOf(one, { leaving: true });
    expect(heardReport({ incarnation: one, report, at: 7 }, context).leaving).to.equal(true);
  });
});
