import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatConf, isSettingName, isSettingValue } from './conf.ts';
import type { SettingProblem } from './errors.ts';
import { SettingsError } from './errors.ts';
import type { Settings } from './profile.ts';
import type { OsUser, RunProgram } from './programs.ts';
import { ProgramError } from './programs.ts';

/** Where the values of a configuration come from; a later layer wins. */
export interface SettingLayers {
  /** Ours, which a user may change. */
  defaults: Settings;
  /** The user's. */
  wanted: Settings;
  /** Ours, which hold the cluster together. */
  fixed: Settings;
}

/** The engine takes names in any case, so two spellings must not become two lines. */
export function normalize(settings: Settings): Settings {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name.toLowerCase(), value]));
}

/** Objections that need no engine: names that are none, values no file can hold, and names that the operator owns. */
export function objections(wanted: Settings, isOwned: (name: string) => boolean): SettingProblem[] {
  return Object.entries(wanted).flatMap(([name, value]) => {
    if (!isSettingName(name)) return [{ name, reason: 'is not the name of a setting' }];
    if (!isSettingValue(value)) return [{ name, reason: 'the value contains a NUL character' }];
    return isOwned(name.toLowerCase()) ? [{ name, reason: 'is managed by the operator' }] : [];
  });
}

/** One configuration of the layers. Preloaded libraries of ours stay in front of those that the user adds. */
export function compose({ defaults, wanted, fixed }: SettingLayers): Settings {
  const merged = { ...normalize(defaults), ...normalize(wanted), ...normalize(fixed) };
  const libraries = [defaults, wanted].flatMap(layer => splitList(normalize(layer)[PRELOAD] ?? ''));
  return { ...merged, [PRELOAD]: [...new Set(libraries)].join(',') };
}

const PRELOAD = 'shared_preload_libraries';

const splitList = (text: string): string[] =>
  text
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '');

/** Names whose value differs between two configurations, also by being absent in one. */
export function differing(before: ReadonlyMap<string, string>, after: Settings): string[] {
  const names = new Set([...before.keys(), ...Object.keys(after)]);
  return [...names].filter(name => before.get(name) !== after[name]).sort();
}

export interface EngineCheck {
  run: RunProgram;
  /** The engine's server program. */
  postgres: string;
  /** For the candidate file; must not hold a postgresql.auto.conf. */
  directory: string;
  user?: OsUser;
}

/**
 * Lets the engine itself judge a configuration, with its own list, units, ranges and enumerations: it prints one value
 * of a candidate file and does nothing else. Settings of libraries (`a.b`) are placeholders to it and pass.
 * @throws SettingsError with every problem at once
 */
export async function checkWithEngine(check: EngineCheck, settings: Settings): Promise<void> {
  const problems = await judge(check, settings);
  if (problems.length === 0) return;
  // An unknown name keeps the engine from looking at values; a second look without them completes the list.
  const known = Object.fromEntries(
    Object.entries(settings).filter(([name]) => !problems.some(problem => problem.name === name)),
  );
  throw new SettingsError([...problems, ...(await judge(check, known))]);
}

async function judge(check: EngineCheck, settings: Settings): Promise<SettingProblem[]> {
  const candidate = join(check.directory, 'candidate.conf');
  // World-readable on purpose: it holds no secret, and the engine's user may not be ours.
  await writeFile(candidate, formatConf(settings), { mode: 0o644 });
  try {
    await check.run({
      program: check.postgres,
      args: ['-C', 'config_file', '-D', check.directory, '-c', `config_file=${candidate}`],
      user: check.user,
      timeoutMs: 10_000,
    });
    return [];
  } catch (error) {
    const problems = error instanceof ProgramError ? parseProblems(error.stderr) : [];
    if (problems.length === 0) throw error;
    return problems;
  } finally {
    await rm(candidate, { force: true });
  }
}

/** What the engine says about a configuration file, one problem per setting, with its hint where it gives one. */
export function parseProblems(stderr: string): SettingProblem[] {
  const problems = new Map<string, SettingProblem>();
  let last: SettingProblem | undefined;
  for (const line of stderr.split('\n')) {
    const [, level, message] = /(LOG|WARNING|FATAL|HINT):\s+(.*)$/.exec(line) ?? [];
    if (level === 'HINT' && last) last.reason += ` (${message ?? ''})`;
    else if (message !== undefined) last = remember(problems, message);
  }
  return [...problems.values()];
}

function remember(problems: Map<string, SettingProblem>, message: string): SettingProblem | undefined {
  const name = /parameter "([^"]+)"/.exec(message)?.[1]?.toLowerCase();
  if (name === undefined) return undefined;
  const reason = message.startsWith('unrecognized') ? 'is unknown to this engine' : message;
  const problem = problems.get(name) ?? { name, reason };
  problems.set(name, problem);
  return problem;
}
