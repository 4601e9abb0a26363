import { once } from 'node:events';
import type { Peer, Report, Silent } from '../../agent-api/beat.ts';
import type { BeatStream } from '../../agent-api/beat-stream.ts';
import type { MemberClient } from '../../agent-api/client.ts';
import { formatIncarnation } from '../../ha/incarnation.ts';
import { commandStamp } from '../../ha/record.ts';
import { eventually } from './namespace.ts';
import type { Pod, Site } from './pod.ts';

const BEAT_MS = 200;

/** As much of a cluster manager as its side of one stream: beats, and answers to the holder's reports. */
export class Manager {
  readonly client: MemberClient;
  readonly reports: { report: Report; at: number }[] = [];
  /** Whom the agent may ask. */
  peers: Peer[] = [];
  isLeader = true;
  /** Whom the agent is asked to reach. */
  silent: Silent | undefined;
  /** Answers give right (a). */
  answers = true;
  readonly #site: Site;
  readonly #stream: BeatStream;
  readonly #timer: NodeJS.Timeout;

  private constructor(site: Site, stream: BeatStream, client: MemberClient) {
    this.#site = site;
    this.#stream = stream;
    this.client = client;
    stream.on('report', report => this.#onReport(report));
    this.#timer = setInterval(() => this.beat(), BEAT_MS);
  }

  static async to(site: Site, pod: Pod): Promise<Manager> {
    const connector = await site.connector('cluster-manager');
    const endpoint = site.endpoint(pod);
    const stream = connector.beats(endpoint);
    await once(stream, 'open');
    return new Manager(site, stream, connector.to(endpoint));
  }

  /** The newest report. */
  get last(): Report | undefined {
    return this.reports.at(-1)?.report;
  }

  /** A report from now on that satisfies `wanted`. */
  report(what: string, wanted: (report: Report) => unknown): Promise<Report> {
    const from = this.reports.length;
    return eventually(what, () => this.reports.slice(from).find(({ report }) => wanted(report))?.report, 20_000);
  }

  beat(answer?: string): void {
    const { record } = this.#site.api;
    const stamp = this.isLeader && record ? { stamp: commandStamp(record) } : {};
    this.#stream.send({
      cm: 'cm',
      isLeader: this.isLeader,
      ...stamp,
      ...(answer !== undefined && { answer }),
      peers: this.peers,
      ...(this.silent && { silent: this.silent }),
    });
  }

  close(): void {
    clearInterval(this.#timer);
    this.#stream.close();
  }

  #onReport(report: Report): void {
    this.reports.push({ report, at: Date.now() });
    const { holder } = this.#site.api.record ?? {};
    if (this.answers && this.isLeader && holder && formatIncarnation(holder) === report.incarnation)
      this.beat(report.nonce);
  }
}

/** How agents find this one. */
export const peerOf = (site: Site, pod: Pod, incarnation: string): Peer => ({
  incarnation,
  ...site.endpoint(pod),
  isMember: true,
});
