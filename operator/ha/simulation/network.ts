import type { Process } from './process.ts';
import type { Random } from './random.ts';
import type { VirtualTime } from './time.ts';

/** Where a process can be reached. Processes of one host always reach each other. */
export type Host = string;

export const API: Host = 'api';

/** How messages fare now; faults change it. */
export interface Weather {
  /** Of messages between hosts, 0 to 1. */
  loss: number;
  /** Longest delay of most messages, ms. */
  delayMs: number;
}

export const FAIR: Weather = { loss: 0, delayMs: 2 };
export const BAD: Weather = { loss: 0.1, delayMs: 400 };

/** Share of messages that take much longer than the others, and how long at most, ms. */
const STRAGGLERS = 0.02;
const STRAGGLE_MS = 60;

/** Messages between hosts: delayed, lost, overtaken by others; links are cut in one direction or both. */
export class Network {
  weather: Weather = FAIR;
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #cuts = new Set<string>();
  /** Last delivery of each ordered channel. */
  readonly #channels = new Map<string, number>();

  constructor(time: VirtualTime, random: Random) {
    this.#time = time;
    this.#random = random;
  }

  cut(from: Host, to: Host): void {
    this.#cuts.add(`${from}>${to}`);
  }

  mend(from: Host, to: Host): void {
    this.#cuts.delete(`${from}>${to}`);
  }

  mendAll(): void {
    this.#cuts.clear();
    this.weather = FAIR;
  }

  leads(from: Host, to: Host): boolean {
    return from === to || !this.#cuts.has(`${from}>${to}`);
  }

  /** What was on its way when a link is cut still arrives. */
  send(from: Host, to: Host, receiver: Process, deliver: () => void): void {
    if (this.#isLost(from, to)) return;
    this.#time.after(this.#delay(from, to), () => receiver.run(deliver));
  }

  /** As `send`, but what is sent later under that channel's name never arrives earlier (one TCP connection). */
  sendInOrder(channel: string, [from, to]: readonly [Host, Host], receiver: Process, deliver: () => void): void {
    if (this.#isLost(from, to)) return;
    const at = Math.max(this.#time.now + this.#delay(from, to), this.#channels.get(channel) ?? 0);
    this.#channels.set(channel, at);
    this.#time.after(at - this.#time.now, () => receiver.run(deliver));
  }

  #isLost(from: Host, to: Host): boolean {
    if (from === to) return false;
    return this.#cuts.has(`${from}>${to}`) || (this.weather.loss > 0 && this.#random.chance(this.weather.loss));
  }

  #delay(from: Host, to: Host): number {
    if (from === to) return 0.1;
    const { delayMs } = this.weather;
    if (this.#random.chance(STRAGGLERS)) return this.#random.between(delayMs, delayMs + STRAGGLE_MS);
    return this.#random.between(0.2, delayMs);
  }
}
