import type { Beat, Report } from '../../agent-api/beat.ts';
import type { AgentEndpoint, MemberClient } from '../../agent-api/client.ts';
import type { Agents, Stream, StreamEvents } from '../agents.ts';

/** Test only: one connection, as the agent sees it. */
export class FakeStream implements Stream {
  readonly endpoint: AgentEndpoint;
  readonly beats: Beat[] = [];
  isClosed = false;
  readonly #events: StreamEvents;

  constructor(endpoint: AgentEndpoint, events: StreamEvents) {
    this.endpoint = endpoint;
    this.#events = events;
  }

  send(beat: Beat): void {
    this.beats.push(beat);
  }

  close(): void {
    this.isClosed = true;
  }

  opened(): void {
    this.#events.opened();
  }

  report(report: Report): void {
    this.#events.report(report);
  }

  break(): void {
    this.#events.ended('broken');
  }
}

/** Test only: agents that do what the test says. */
export class FakeAgents implements Agents {
  readonly streams: FakeStream[] = [];
  hasCertificate = true;

  open(endpoint: AgentEndpoint, events: StreamEvents): Stream | undefined {
    if (!this.hasCertificate) return undefined;
    const stream = new FakeStream(endpoint, events);
    this.streams.push(stream);
    return stream;
  }

  client(): MemberClient {
    throw new Error('no calls here');
  }

  /** The newest stream to this address. */
  to(address: string): FakeStream {
    const found = this.streams.findLast(it => it.endpoint.address === address);
    if (!found) throw new Error(`nobody connected to ${address}`);
    return found;
  }
}
