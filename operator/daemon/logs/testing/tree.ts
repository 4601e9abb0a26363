import {
  linkSync,
  lutimesSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { LogsCleaner, type CleanerOptions } from '../cleaner.ts';
import { DAY_MS, DEFAULT_LOG_POLICY, type LogPolicy } from '../policy.ts';

/** Test only: trees on the disk, by names that are bytes (one character for each), and a cleaner over them. */

export const NOW = Date.UTC(2026, 5, 1);

const bytes = (path: string): Buffer => Buffer.from(path, 'latin1');

export class Tree {
  readonly base = mkdtempSync(`${tmpdir()}/logs-`);
  readonly root = `${this.base}/root`;
  /** What no clean-up may ever touch. */
  readonly outside = `${this.base}/outside`;

  constructor() {
    mkdirSync(this.root);
    mkdirSync(`${this.outside}/log`, { recursive: true });
    for (const [at, name] of ['postgresql-1.log', 'log/postgresql-2.log', 'log/postgresql-3.log'].entries()) {
      writeFileSync(`${this.outside}/${name}`, 'outside');
      utimesSync(`${this.outside}/${name}`, at, at);
    }
  }

  /** A file that was last written so many days before NOW. */
  file(path: string, ageDays: number, content = path): void {
    const at = this.#make(path);
    writeFileSync(at, content);
    this.age(path, ageDays);
  }

  directory(path: string, ageDays = 0): void {
    mkdirSync(this.#make(path), { recursive: true });
    this.age(path, ageDays);
  }

  link(path: string, target: string): void {
    const at = this.#make(path);
    symlinkSync(target, at);
    lutimesSync(at, 1, 1);
  }

  hardLink(path: string, existing: string): void {
    linkSync(bytes(`${this.root}/${existing}`), this.#make(path));
  }

  age(path: string, days: number): void {
    const at = (NOW - days * DAY_MS) / 1000;
    utimesSync(bytes(`${this.root}/${path}`), at, at);
  }

  /** Every entry with its content; directories end with a slash. */
  snapshot(of = this.root): Map<string, string> {
    const found = new Map<string, string>();
    const visit = (path: string): void => {
      for (const name of readdirSync(bytes(`${of}/${path}`), { encoding: 'latin1' })) {
        const below = path === '' ? name : `${path}/${name}`;
        const at = bytes(`${of}/${below}`);
        const stats = lstatSync(at);
        if (stats.isDirectory()) {
          found.set(`${below}/`, '');
          visit(below);
        } else if (stats.isSymbolicLink()) found.set(below, `-> ${readlinkSync(at)}`);
        else found.set(below, readFileSync(at).toString('latin1'));
      }
    };
    visit('');
    return found;
  }

  paths(): string[] {
    return [...this.snapshot().keys()].sort();
  }

  /** When it was last written, ms since the epoch; of a link its own. */
  modifiedAt(path: string): number {
    return lstatSync(bytes(`${this.root}/${path}`)).mtimeMs;
  }

  remove(): void {
    rmSync(this.base, { recursive: true, force: true });
  }

  #make(path: string): Buffer {
    const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    if (parent) mkdirSync(bytes(`${this.root}/${parent}`), { recursive: true });
    return bytes(`${this.root}/${path}`);
  }
}

/** What a test may set and change while it goes on. */
export interface Site {
  now: number;
  /** Instance ids that a cluster names. */
  named: Set<string>;
  policy: Partial<LogPolicy>;
  usedPercent: number;
  options: Partial<CleanerOptions>;
}

export function siteOf(tree: Tree): Site & { cleaner: LogsCleaner } {
  const site: Site = { now: NOW, named: new Set(), policy: {}, usedPercent: 50, options: {} };
  const total = 1_000_000;
  const cleaner = new LogsCleaner({
    host: 'h1',
    root: tree.root,
    policy: () => ({ ...DEFAULT_LOG_POLICY, ...site.policy }),
    readLive: signal =>
      site.options.readLive?.(signal) ?? Promise.resolve(new Map([...site.named].map(id => [id, 'cluster db/orders']))),
    readOpen: (device, signal) =>
      site.options.readOpen?.(device, signal) ?? Promise.resolve({ ids: new Set(), isComplete: true }),
    readDisk: path =>
      site.options.readDisk?.(path) ??
      Promise.resolve({ totalBytes: total, freeBytes: (total * (100 - site.usedPercent)) / 100 }),
    now: () => new Date(site.now),
  });
  return Object.assign(site, { cleaner });
}

export const unaborted = (): AbortSignal => new AbortController().signal;
