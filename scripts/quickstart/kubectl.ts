import { run } from '../kubernetes/run.ts';

/** kubectl, bound to one cluster by its arguments: what a person's environment says does not count. */
export class Kubectl {
  readonly #program: string;
  readonly #flags: readonly string[];

  constructor(program: string, flags: readonly string[]) {
    this.#program = program;
    this.#flags = flags;
  }

  /** How a person writes it in a shell. */
  get words(): string {
    return [this.#program, ...this.#flags].map(shellWord).join(' ');
  }

  /** @returns standard output; throws with what was written to standard error */
  async run(...args: string[]): Promise<string> {
    return await run(this.#program, [...this.#flags, ...args]);
  }

  /** One object, undefined when there is none. */
  async get<T>(...args: string[]): Promise<T | undefined> {
    const text = await this.run('get', ...args, '--ignore-not-found', '--output', 'json');
    return text === '' ? undefined : (JSON.parse(text) as T);
  }

  /** All objects of a kind; an unknown kind has none. */
  async list<T>(...args: string[]): Promise<T[]> {
    try {
      return (await this.get<{ items: T[] }>(...args))?.items ?? [];
    } catch (error) {
      if (/the server doesn't have a resource type|no matches for kind/.test(String(error))) return [];
      throw error;
    }
  }

  /** Plain client-side apply of a file or directory, as a user does it; returns what it changed. */
  async apply(path: string, ...flags: string[]): Promise<string[]> {
    const lines = (await this.run('apply', '--filename', path, ...flags)).trim().split('\n');
    return lines.filter(line => line !== '' && !line.endsWith(' unchanged'));
  }
}

/** A word for a POSIX shell, quoted when it must be. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
