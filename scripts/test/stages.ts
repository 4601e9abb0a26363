/** What `npm test` runs, in order: the cheap and telling things first. */
export interface Stage {
  name: string;
  /** `check`: one program, counts as one test. `mocha`: its tests are counted. */
  kind: 'check' | 'mocha';
  command: string;
  args: readonly string[];
  /** Local cluster that its tests share. */
  cluster?: string;
  /** Runs only when somebody names it: it takes longer than all the others together. */
  isOnDemand?: boolean;
}

const rooms = ['crds', 'manifests', 'operator', 'scripts'];
const roomTests = rooms.map(room => `${room}/**/*.test.ts`);
const engineTests = 'operator/**/*.engine.test.ts';

const check = (name: string, command: string, ...args: string[]): Stage => ({ name, kind: 'check', command, args });
const mocha = (name: string, ...args: string[]): Stage => ({ name, kind: 'mocha', command: 'mocha', args });

export const STAGES: readonly Stage[] = [
  check('format', 'prettier', '--check', '--log-level=warn', '.'),
  check('types', 'tsc', '-p', 'tsconfig.json'),
  check('lint', 'eslint', '.', '--cache', '--cache-location', 'node_modules/.cache/eslint/', '--max-warnings=0'),
  check('imports', 'depcruise', '--config', 'dependency-cruiser.config.mjs', ...rooms, 'e2e'),
  check('unused', 'knip'),
  mocha('unit', ...roomTests, '--ignore', engineTests, '--reporter-option', 'style=dots'),
  // Real PostgreSQL, real kube-apiserver, real cluster: each starts what it needs.
  mocha('engine', engineTests),
  { ...mocha('integration', 'e2e/integration/**/*.test.ts'), cluster: 'integration' },
  { ...mocha('e2e', 'e2e/*.test.ts'), cluster: 'e2e' },
  { ...mocha('failover', 'e2e/failover/*.test.ts'), cluster: 'e2e', isOnDemand: true },
];

/** Groups that a person may name: `check`, or one stage. */
export function select(wanted: readonly string[]): readonly Stage[] {
  if (wanted.length === 0) return STAGES.filter(stage => !stage.isOnDemand);
  const chosen = STAGES.filter(stage => wanted.includes(stage.name) || wanted.includes(stage.kind));
  const unknown = wanted.filter(word => !STAGES.some(stage => stage.name === word || stage.kind === word));
  if (unknown.length > 0) {
    throw new Error(`no test stage "${unknown.join(', ')}"; known: check, ${STAGES.map(s => s.name).join(', ')}`);
  }
  return chosen;
}
