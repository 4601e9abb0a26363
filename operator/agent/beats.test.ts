import { expect } from 'chai';
import { Duplex, duplexPair } from 'node:stream';
import type { Beat, Report } from '../agent-api/beat.ts';
import { JsonLines } from '../agent-api/lines.ts';
import { Beats } from './beats.ts';
import { jsonLog } from './log.ts';
import type { ReportBody } from './report.ts';
import { FakeClock, settle } from './testing/fake-clock.ts';

const body: ReportBody = {
  ...{ incarnation: 'i', bootedAt: 'now', leaving: false, promiseAgeMs: 0 },
  engine: { state: 'running', acceptsWrites: true },
  plan: { role: 'rw' },
  volume: { state: 'initialized' },
  right: { kind: 'alone' },
};
const beat: Beat = { cm: 'cm', isLeader: true, peers: [] };
const stamp = { clusterUid: 'u', epoch: 3, term: 1, generation: 1 };
const ignore = (): void => undefined;

class Bed {
  readonly clock = new FakeClock();
  readonly taken: { beat: Beat; sentAt: number | undefined }[] = [];
  looks = 0;
  quiet = 0;
  /** A look of an engine that hangs. */
  hangs = false;
  readonly beats = new Beats({
    ...{ clock: this.clock, beatMs: 500, silentMs: 1_500, lookMs: 300, log: jsonLog(ignore, {}) },
    look: () => {
      this.looks++;
      return this.hangs ? new Promise(ignore) : Promise.resolve();
    },
    describe: () => body,
    onQuiet: () => {
      this.quiet++;
    },
    onBeat: (it, sentAt) => void this.taken.push({ beat: it, sentAt }),
  });

  connect(): { reports: Report[]; lines: JsonLines; far: Duplex } {
    const [near, far] = duplexPair();
    const reports: Report[] = [];
    const lines = new JsonLines(far, value => reports.push(value as Report), ignore);
    this.beats.add(near, Buffer.alloc(0), 'cm');
    return { reports, lines, far };
  }

  /** Streams of memory need a few turns. */
  async advance(ms: number): Promise<void> {
    await this.clock.advance(ms);
    for (let i = 0; i < 5; i++) await settle();
  }
}

describe('streams of beats', () => {
  it('report at once and then twice a second, each with a nonce of its own', async () => {
    const bed = new Bed();
    const { reports } = bed.connect();
    await bed.advance(0);
    expect(reports).to.have.length(1);
    for (let i = 0; i < 4; i++) await bed.advance(500);
    expect(reports).to.have.length(5);
    expect(new Set(reports.map(it => it.nonce)).size).to.equal(5);
  });

  it('know when the report was sent that a beat answers', async () => {
    const bed = new Bed();
    const { reports, lines } = bed.connect();
    await bed.advance(700);
    lines.send({ ...beat, stamp, answer: reports.at(-1)?.nonce });
    lines.send({ ...beat, answer: 'made up' });
    await bed.advance(10);
    expect(bed.taken.map(it => it.sentAt)).to.deep.equal([500, undefined]);
    await bed.advance(500);
    expect(reports.at(-1)).to.not.have.property('echo');
    lines.send({ ...beat, stamp });
    await bed.advance(1_000);
    expect(reports.at(-1)?.echo).to.deep.equal(stamp);
  });

  it('tell a change at once, and again after a look', async () => {
    const bed = new Bed();
    const { reports } = bed.connect();
    await bed.advance(100);
    const { looks } = bed;
    bed.beats.changed();
    bed.beats.changed();
    await bed.advance(0);
    expect(reports).to.have.length(3);
    expect(bed.looks).to.equal(looks + 1);
  });

  it('do not wait for an engine that hangs', async () => {
    const bed = new Bed();
    bed.hangs = true;
    const { reports } = bed.connect();
    await bed.advance(299);
    expect(reports).to.have.length(0);
    await bed.advance(501);
    expect(reports).to.have.length(2);
  });

  it('hear a leader until it is silent; a standby is none', async () => {
    const bed = new Bed();
    const { lines } = bed.connect();
    lines.send({ ...beat, isLeader: false });
    await bed.advance(10);
    expect(bed.beats.isLeaderHeard).to.equal(false);
    lines.send(beat);
    await bed.advance(10);
    expect(bed.beats.isLeaderHeard).to.equal(true);
    await bed.advance(1_600);
    expect(bed.beats.isLeaderHeard).to.equal(false);
  });

  it('are nothing when they have ended: no look, no report', async () => {
    const bed = new Bed();
    const { far } = bed.connect();
    await bed.advance(100);
    far.destroy();
    await bed.advance(1_000);
    const { looks } = bed;
    bed.beats.changed();
    await bed.advance(60_000);
    expect(bed).to.deep.include({ looks, quiet: 1 });
    expect(bed.beats.isLeaderHeard).to.equal(false);
  });

  it('end when the other side sends what is no beat', async () => {
    const bed = new Bed();
    const { far } = bed.connect();
    far.write('{"cm": 1}\n');
    await bed.advance(10);
    expect(bed.quiet).to.equal(1);
  });
});
