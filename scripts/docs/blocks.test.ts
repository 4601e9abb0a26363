import { expect } from 'chai';
import { blocksOf } from './blocks.ts';

describe('blocks of a page', () => {
  it('have a language, marks and a place', () => {
    const [one, two] = blocksOf('p.md', 'text\n```sh run\necho 1\n\n```\n```ts file=a.ts\nlet a;\n```\n');
    expect(one).to.deep.equal({ page: 'p.md', line: 2, language: 'sh', marks: ['run'], text: 'echo 1\n\n' });
    expect(two).to.deep.include({ language: 'ts', marks: ['file=a.ts'], text: 'let a;\n' });
  });

  it('must end', () => expect(() => blocksOf('p.md', '\n```sh\necho')).to.throw('p.md:2'));
});
