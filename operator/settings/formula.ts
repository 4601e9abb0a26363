import { BadValue } from './values.ts';

/** What a formula may name: MiB of memory (huge pages included), cores, MiB of the volume (Infinity: unknown). */
export interface FormulaScope {
  memory: number;
  cpu: number;
  storage: number;
}

export const isFormula = (text: string): boolean => text.startsWith('{');

const TOKEN = /\s*(?:(\d+(?:\.\d+)?)|([a-z]+)|([-+*/(),]))/y;

/**
 * Value of `{...}`: numbers, `memory`, `cpu`, `storage`, `+ - * /`, brackets, `least(a, b ...)`, `greatest(a, b ...)`.
 * @throws BadValue when the text is no such formula or its value is not a number of at least 0
 */
export function evaluateFormula(text: string, scope: FormulaScope): number {
  const body = /^\{(.*)\}$/s.exec(text)?.[1];
  if (body === undefined) throw notFormula(text);
  const parser = new FormulaParser(body, scope, text);
  const value = parser.whole();
  if (!Number.isFinite(value) || value < 0) {
    throw new BadValue(`formula ${text} gives ${value}`, 'bound it by least() and greatest()');
  }
  return value;
}

function notFormula(text: string): BadValue {
  return new BadValue(
    `${text} is not a formula`,
    'use numbers, memory, cpu, storage, + - * / ( ), least(a, b) and greatest(a, b)',
  );
}

/** Recursive descent: sum of products of factors. */
class FormulaParser {
  readonly #tokens: string[];
  readonly #scope: FormulaScope;
  readonly #text: string;
  #next = 0;
  #depth = 0;

  constructor(body: string, scope: FormulaScope, text: string) {
    this.#scope = scope;
    this.#text = text;
    this.#tokens = this.#split(body.trimEnd());
  }

  whole(): number {
    const value = this.#sum();
    if (this.#next !== this.#tokens.length) throw notFormula(this.#text);
    return value;
  }

  #split(body: string): string[] {
    const tokens: string[] = [];
    for (let at = 0; at < body.length; at = TOKEN.lastIndex) {
      TOKEN.lastIndex = at;
      const match = TOKEN.exec(body);
      if (!match) throw notFormula(this.#text);
      tokens.push(match[0].trim());
    }
    return tokens;
  }

  #sum(): number {
    let value = this.#product();
    for (let op = this.#tokens[this.#next]; op === '+' || op === '-'; op = this.#tokens[this.#next]) {
      this.#next++;
      const right = this.#product();
      value = op === '+' ? value + right : value - right;
    }
    return value;
  }

  #product(): number {
    let value = this.#factor();
    for (let op = this.#tokens[this.#next]; op === '*' || op === '/'; op = this.#tokens[this.#next]) {
      this.#next++;
      const right = this.#factor();
      value = op === '*' ? value * right : value / right;
    }
    return value;
  }

  #factor(): number {
    const token = this.#tokens[this.#next++] ?? '';
    if (/^\d/.test(token)) return Number(token);
    if (token === '(') return this.#inBrackets(() => this.#sum());
    if (token === 'least' || token === 'greatest') {
      this.#expect('(');
      const list = this.#inBrackets(() => this.#list());
      return token === 'least' ? Math.min(...list) : Math.max(...list);
    }
    if (token === 'memory' || token === 'cpu' || token === 'storage') return this.#scope[token];
    throw notFormula(this.#text);
  }

  #list(): number[] {
    const values = [this.#sum()];
    while (this.#tokens[this.#next] === ',') {
      this.#next++;
      values.push(this.#sum());
    }
    return values;
  }

  #inBrackets<T>(inner: () => T): T {
    // Bounded, so that no text of a map can exhaust the stack.
    if (++this.#depth > 20) throw notFormula(this.#text);
    const value = inner();
    this.#expect(')');
    this.#depth--;
    return value;
  }

  #expect(token: string): void {
    if (this.#tokens[this.#next++] !== token) throw notFormula(this.#text);
  }
}
