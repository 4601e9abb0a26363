import { expect } from 'chai';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathsOf, projectRoot } from '../kubernetes/paths.ts';
import { blocksOf, pages, readPage } from './blocks.ts';

/** Commands that no page runs on the test cluster: they install, build or test, and tests of their own cover them. */
const COVERED_ELSEWHERE = [
  /^npm run quickstart( --( --[a-z]+( [\w:./-]+)?)+)?$/,
  /^npm run -s kubeconfig$/,
  /^npm run (synth|bench|test:unit|test:simulation|test:e2e|test:failover|lint|format|images)( --.*)?$/,
  /^(KEEP=1 )?npm test$/,
  /^npm run -s kubernetes -- [a-z].*$/,
  // Where that is, is tested below.
  /^export (KUBECONFIG="\$\(npm run -s kubeconfig\)"|PATH="\$PATH:\$\(dirname "\$KUBECONFIG"\)\/bin")$/,
  /^kubectl apply -f dist\/$/,
  /^kubectl delete -f dist\/$/,
];

describe('documentation', () => {
  for (const page of pages(projectRoot)) {
    const markdown = readPage(projectRoot, page);

    it(`${page} has only commands that a test runs`, () => {
      const untested = blocksOf(page, markdown)
        .filter(({ language, marks }) => language === 'sh' && !marks.includes('run'))
        .flatMap(({ line, text }) =>
          text.split('\n').map(command => ({ line, command: command.replace(/ +#.*$/, '') })),
        )
        .filter(({ command }) => command !== '' && !command.startsWith('#'))
        .filter(({ command }) => !COVERED_ELSEWHERE.some(known => known.test(command)));
      expect(untested).to.deep.equal([]);
    });

    it(`${page} links to what is there`, () => {
      const links = [...markdown.matchAll(/\]\((?!https?:)([^)#\s]+)(#[^)]*)?\)/g)].map(match => match[1]!);
      expect(links.filter(link => !existsSync(join(projectRoot, dirname(page), link)))).to.deep.equal([]);
    });
  }

  it('README.md tells where the kubectl of the quickstart lies', () => {
    const { kubeconfig, kubectl } = pathsOf('quickstart');
    expect(kubectl).to.equal(join(dirname(kubeconfig), 'bin', 'kubectl'));
  });

  it('docs/troubleshooting.md explains every reason that the operator gives', () => {
    const text = readPage(projectRoot, 'docs/troubleshooting.md');
    expect(reasonsInSource().filter(reason => !text.includes(`\`${reason}\``))).to.deep.equal([]);
  });
});

/** Reasons are words in the source: of waits, of conditions, events and of the policies that decide who is RW. */
function reasonsInSource(): string[] {
  const rooms = ['operator/lifecycle', 'operator/failover', 'operator/ha', 'operator/daemon'].map(room =>
    join(projectRoot, room),
  );
  const files = rooms.flatMap(room =>
    readdirSync(room, { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith('.ts') && !name.endsWith('.test.ts') && !/testing|simulation/.test(name))
      .map(name => join(room, name)),
  );
  const internal = ['boot.ts', 'command.ts', 'record.ts', 'right.ts', 'release.ts', 'ladder.ts', 'member.ts'];
  const read = files.filter(name => !internal.some(file => name.endsWith(`/ha/${file}`)));
  const patterns = [
    /\bwait\(\s*'([A-Z][A-Za-z]+)'/g,
    /\bno\('([A-Z][A-Za-z]+)'/g,
    /\breason: '([A-Z][A-Za-z]+)'/g,
    /\breason = [^;]*?'([A-Z][A-Za-z]+)' : '([A-Z][A-Za-z]+)'/g,
  ];
  const found = read.flatMap(name => {
    const source = readFileSync(name, 'utf8');
    return patterns.flatMap(pattern => [...source.matchAll(pattern)].flatMap(match => match.slice(1)));
  });
  // Built from the phase of an operation (lifecycle/run-operation.ts).
  const built = ['OperationFailed', 'OperationCancelled'];
  return [...new Set([...found, ...built])].sort();
}
