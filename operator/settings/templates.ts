import type { EngineName } from '../model/roles.ts';
import { parseAllowed, checkValue } from './allowed.ts';
import { evaluateFormula, isFormula } from './formula.ts';
import { refusedBy15 } from './refused.ts';
import { parseYamlText } from './resources.ts';
import type { ParameterItem, ParameterTemplate, SettingsMap, SettingsProblem, SiteSettings } from './types.ts';
import { BadValue, MapReader, unquote } from './values.ts';

export const TEMPLATE_CONFIG_TYPE = 'mycnf_template';
/** The original's optional map that opens or adds parameters of its template. */
export const WHITE_LIST_MAP = 'postgresql-1-0-mycnf-template-white-list-rwo';

type Templates = SiteSettings['templates'];

/** Reads the parameter templates, one per engine (data key `engine`; absent, as in the original: polardb). */
export function readTemplates(
  maps: readonly SettingsMap[],
  problems: SettingsProblem[],
  last: Templates = {},
): Templates {
  const templates: Partial<Record<EngineName, ParameterTemplate>> = {};
  const whiteList = maps.find(map => map.metadata?.name === WHITE_LIST_MAP);
  for (const map of maps.filter(one => one !== whiteList && isTemplate(one))) {
    const reader = new MapReader(map, '', problems);
    const engine = engineOf(map);
    if (templates[engine]) {
      reader.problem('engine', `there is another template for ${engine}`, 'delete one of the two maps');
      continue;
    }
    const items = readItems(reader, 'mycnf_template', last[engine]);
    templates[engine] = items ? { engine, items } : last[engine];
  }
  if (whiteList && templates.polardb) templates.polardb = openUp(templates.polardb, whiteList, problems);
  return templates;
}

const isTemplate = (map: SettingsMap): boolean => map.metadata?.labels?.configtype === TEMPLATE_CONFIG_TYPE;
const engineOf = (map: SettingsMap): EngineName =>
  map.data?.engine?.trim() === 'postgresql' ? 'postgresql' : 'polardb';

/** Items by lower-case name; a bad one stays what it was. Undefined: the whole list cannot be read. */
function readItems(
  reader: MapReader,
  key: string,
  last: ParameterTemplate | undefined,
): Map<string, ParameterItem> | undefined {
  const rows = reader.read<unknown[] | undefined>(key, parseRows, { absent: undefined, last: undefined });
  if (!rows) {
    if (!reader.has(key)) reader.problem(key, 'is missing', 'write the list of parameters');
    return undefined;
  }
  const items = new Map<string, ParameterItem>();
  for (const row of rows as Record<string, unknown>[]) {
    const name = scalar(row.name) ?? '';
    const id = name.toLowerCase();
    if (isTrue(row.is_deleted)) continue;
    const item = reader.attempt(`${key}.${name}`, () => parseItem(row, name)) ?? last?.items.get(id);
    if (item) items.set(id, item);
  }
  return items;
}

function parseRows(text: string): unknown[] {
  const rows = parseYamlText(text);
  if (!Array.isArray(rows) || rows.some(row => typeof row !== 'object' || row === null)) {
    throw new BadValue('is not a list of parameters', 'write "- name: ..." items');
  }
  return rows;
}

const KINDS: readonly ParameterItem['kind'][] = ['STRING', 'INT', 'DOUBLE', 'B'];

function parseItem(row: Record<string, unknown>, name: string): ParameterItem {
  if (!/^[A-Za-z_][\w$]*(\.[A-Za-z_][\w$]*)?$/.test(name)) {
    throw new BadValue(`"${name}" is not the name of a parameter`, 'write a name as the engine shows it');
  }
  if (refusedBy15.has(name)) throw new BadValue('engines of version 15 refuse this parameter', 'remove it');
  const text = scalar(row.default_value);
  const item: ParameterItem = {
    name,
    defaultValue: text === undefined ? undefined : unquote(text),
    dynamic: isTrue(row.is_dynamic),
    visible: isTrue(row.is_visible),
    changeable: isTrue(row.is_user_changable),
    allowed: parseAllowed(scalar(row.optional) ?? ''),
    kind: KINDS.find(kind => kind === row.unit) ?? 'STRING',
    baseUnit: scalar(row.base_unit),
  };
  checkDefault(item);
  return item;
}

/** A wrong default would only show when a cluster is made. Units are beyond a template of the original. */
function checkDefault(item: ParameterItem): void {
  const value = item.defaultValue;
  if (value === undefined) return;
  if (isFormula(value)) {
    evaluateFormula(value, { memory: 1024, cpu: 1, storage: Infinity });
  } else if (item.baseUnit !== undefined || item.allowed?.form !== 'range') {
    checkValue({ ...item, allowed: item.allowed?.form === 'pattern' ? undefined : item.allowed }, value);
  }
}

const scalar = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;

const isTrue = (value: unknown): boolean => value === true || value === 1 || value === '1' || value === 'true';

/** Applies the white list: `can_update_params` become changeable, `extend_mycnf_template` items are added. */
function openUp(template: ParameterTemplate, map: SettingsMap, problems: SettingsProblem[]): ParameterTemplate {
  const reader = new MapReader(map, '', problems);
  const items = new Map(template.items);
  if (reader.has('extend_mycnf_template')) {
    for (const [id, item] of readItems(reader, 'extend_mycnf_template', template) ?? []) items.set(id, item);
  }
  for (const name of (map.data?.can_update_params ?? '').split('|').filter(part => part.trim() !== '')) {
    const item = items.get(name.trim().toLowerCase());
    if (item) items.set(item.name.toLowerCase(), { ...item, changeable: true });
    else reader.problem('can_update_params', `the template has no "${name.trim()}"`, 'remove the name');
  }
  return { ...template, items };
}
