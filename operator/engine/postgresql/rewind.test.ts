import { expect } from 'chai';
import { ProgramError } from '../programs.ts';
import { isUnreachable, RewindOutput } from './rewind.ts';

const PARTED = 'pg_rewind: servers diverged at WAL location 0/4000A60 on timeline 1';
const READS = ['pg_rewind: connected to server', PARTED, 'pg_rewind: reading WAL in target'];
const WRITES = ['pg_rewind: need to copy 53 MB (total source directory size is 70 MB)'];

const said = (lines: readonly string[], wasKilledFollower = false): RewindOutput => {
  const output = new RewindOutput(wasKilledFollower);
  for (const line of lines) output.line(line);
  return output;
};
const failed = (stderr: string) => new ProgramError('pg_rewind', 'failed', { exitCode: 1, stderr });

describe('what pg_rewind says', () => {
  const untouched: [string, readonly string[], boolean, boolean][] = [
    ['nothing yet', [], false, true],
    ['it looks', READS, false, true],
    ['it begins to write', [...READS, ...WRITES], false, false],
    ['it writes', ['  1024/54321 kB (1%) copied'], false, false],
    ['it has an RW recovered that was killed', ['LOG:  redo done at 0/4000A60'], false, true],
    ['it has not reached the RW', [], true, true],
    ['it may have a follower recovered', ['pg_rewind: connected to server'], true, false],
  ];
  for (const [what, lines, wasKilled, expected] of untouched)
    it(`tells whether the data is what it was: ${what}`, () =>
      expect(said(lines, wasKilled).isUntouched).to.equal(expected));

  const none = [PARTED, 'pg_rewind: no rewind required'];
  const fit: [string, readonly string[], boolean, RegExp | undefined][] = [
    ['rewound', [...READS, ...WRITES, 'pg_rewind: Done!'], false, undefined],
    ['nothing to do', none, false, undefined],
    ['nothing to do that it sees', none, true, /killed/],
    ['a killed follower, rewound', [...READS, ...WRITES], true, undefined],
    ['no checkpoint yet', ['pg_rewind: source and target cluster are on the same timeline'], false, /not see yet/],
  ];
  for (const [what, lines, wasKilled, refusal] of fit)
    it(`tells whether the data fits: ${what}`, () => {
      const output = said(lines, wasKilled);
      if (refusal) expect(() => output.requireFit()).to.throw(refusal);
      else output.requireFit();
    });

  it('tells where histories part', () => expect(said(READS).fork).to.deep.equal({ timeline: 1, at: 0x4000a60n }));

  const begin = 'pg_rewind: error: connection to server at "10.0.0.1", port 5432 failed:';
  for (const [text, expected] of [
    [`${begin} Connection refused`, true],
    [`${begin} FATAL:  the database system is starting up`, true],
    ['pg_rewind: error: could not fetch file list: server closed the connection unexpectedly', true],
    [`${begin} FATAL:  database "postgres" does not exist`, false],
    ['pg_rewind: error: could not open file "pg_wal/000000010000000000000003": No such file or directory', false],
    ["pg_rewind: fatal: could not find common ancestor of the source and target cluster's timelines", false],
  ] as const)
    it(`${expected ? 'has not reached the RW' : 'fails though it reaches the RW'}: ${text}`, () =>
      expect(isUnreachable(failed(text))).to.equal(expected));
});
