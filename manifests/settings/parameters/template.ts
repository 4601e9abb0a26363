import { readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import type { EngineName } from '../../../operator/model/roles.ts';
import { commonChoices, LIMITS, polardbChoices, type ParameterChoices } from './choices.ts';

/** One parameter as the engine lists it (pg_settings). */
interface EngineParameter {
  name: string;
  type: string;
  unit: string;
  context: string;
  min: string;
  max: string;
  words: string;
}

/** An item of the original's `mycnf_template`; `base_unit` is ours. */
interface TemplateItem {
  name: string;
  default_value?: string;
  is_dynamic: 0 | 1;
  is_visible: 0 | 1;
  is_user_changable: 0 | 1;
  optional?: string;
  unit: 'STRING' | 'INT' | 'DOUBLE' | 'B';
  base_unit?: string;
}

/** The engine's own list of parameters, by name. */
export function engineParameters(engine: EngineName): Map<string, EngineParameter> {
  const files = engine === 'polardb' ? ['postgresql-15.psv', 'polardb-15.psv'] : ['postgresql-15.psv'];
  const rows = files.flatMap(file =>
    readFileSync(new URL(file, import.meta.url), 'utf8')
      .trim()
      .split('\n')
      .slice(1),
  );
  return new Map(
    rows.map(row => {
      const [name, type, unit, context, min, max, words] = row.split('|') as [string, ...string[]];
      return [name, { name, type, unit, context, min, max, words } as EngineParameter];
    }),
  );
}

const MEMORY_UNITS = ['B', 'kB', '8kB', 'MB'];

function kindOf({ type, unit }: EngineParameter): TemplateItem['unit'] {
  if (MEMORY_UNITS.includes(unit)) return 'B';
  if (type === 'integer') return 'INT';
  return type === 'real' ? 'DOUBLE' : 'STRING';
}

function allowedBy({ name, type, min, max, words }: EngineParameter): string | undefined {
  const narrower = LIMITS[name];
  if (narrower !== undefined) return narrower;
  if (type === 'bool') return '[on|off]';
  if (type === 'enum') return `[${words.replaceAll(',', '|')}]`;
  return min === '' ? undefined : `[${min}-${max}]`;
}

function item(parameter: EngineParameter, who: keyof ParameterChoices, value: string | null): TemplateItem {
  const allowed = allowedBy(parameter);
  return {
    name: parameter.name,
    ...(value !== null && { default_value: value }),
    is_dynamic: parameter.context === 'postmaster' ? 0 : 1,
    is_visible: who === 'user' ? 1 : 0,
    is_user_changable: who === 'locked' ? 0 : 1,
    ...(allowed !== undefined && { optional: allowed }),
    unit: kindOf(parameter),
    ...(parameter.unit !== '' && { base_unit: parameter.unit }),
  };
}

/**
 * The parameter template of an engine, sorted by name.
 * @throws Error when a choice names what the engine does not have
 */
export function templateItems(engine: EngineName, timeZone: string): TemplateItem[] {
  const known = engineParameters(engine);
  const items = new Map<string, TemplateItem>();
  for (const choices of engine === 'polardb' ? [commonChoices, polardbChoices] : [commonChoices]) {
    for (const who of ['user', 'expert', 'locked'] as const) {
      for (const [name, value] of Object.entries(choices[who])) {
        const parameter = known.get(name);
        if (!parameter) throw new Error(`${engine} has no parameter ${name}`);
        items.set(name, item(parameter, who, isTimeZone(name) ? timeZone : value));
      }
    }
  }
  items.set('huge_pages', item(known.get('huge_pages')!, 'locked', 'off'));
  return [...items.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

const isTimeZone = (name: string): boolean => name === 'TimeZone' || name === 'log_timezone';

/** The items as the YAML list of `mycnf_template`, one per line. */
export const templateYaml = (engine: EngineName, timeZone: string): string =>
  templateItems(engine, timeZone)
    .map(one => `- ${stringify(one, { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 })}`)
    .join('');
