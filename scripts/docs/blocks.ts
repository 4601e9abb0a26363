import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A fenced block of a page. */
export interface Block {
  page: string;
  /** Line of its opening fence, from 1. */
  line: number;
  /** First word after the fence, for example `sh`. */
  language: string;
  /** Further words: `run` has a shell block executed on a real cluster, `file=NAME` saves a block for those after it. */
  marks: readonly string[];
  text: string;
}

/** All fenced blocks of a page in Markdown. */
export function blocksOf(page: string, markdown: string): Block[] {
  const found: Block[] = [];
  let open: (Omit<Block, 'text'> & { lines: string[] }) | undefined;
  for (const [i, line] of markdown.split('\n').entries()) {
    if (!line.startsWith('```')) {
      open?.lines.push(line);
      continue;
    }
    if (open) {
      const { lines, ...block } = open;
      found.push({ ...block, text: lines.map(text => `${text}\n`).join('') });
      open = undefined;
    } else {
      const [language = '', ...marks] = line.slice(3).trim().split(/\s+/);
      open = { page, line: i + 1, language, marks, lines: [] };
    }
  }
  if (open) throw new Error(`${page}:${open.line}: this block has no end`);
  return found;
}

/** Pages for users, by their path from the project's directory; the generated reference has no commands. */
export function pages(root: string): string[] {
  const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.md') && !name.startsWith('reference'))
    .map(name => join('docs', name));
  return ['README.md', ...docs.sort()];
}

export const readPage = (root: string, page: string): string => readFileSync(join(root, page), 'utf8');
