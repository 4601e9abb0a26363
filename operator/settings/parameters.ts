import { UserError } from '../model/errors.ts';
import type { EngineName } from '../model/roles.ts';
import { checkValue } from './allowed.ts';
import { evaluateFormula, isFormula } from './formula.ts';
import type { InstanceClass, ParameterItem, ParameterTemplate } from './types.ts';
import { toMebibytes } from './units.ts';
import { BadValue, unquote } from './values.ts';

/** Engine parameters by name, values without quotes. */
export type ParameterValues = Readonly<Record<string, string>>;

export interface ParameterRequest {
  template: ParameterTemplate;
  class: Pick<InstanceClass, 'name' | 'cpu' | 'memory' | 'hugepagesMi' | 'parameters'>;
  /** MiB of an instance's volume; absent: unknown, formulas take it as large. */
  storageMi?: number;
  user?: ParameterValues;
  /** `canUpdateNotChangeableParams` of the site: locked parameters may be changed too. */
  allowLocked?: boolean;
}

/**
 * Parameters of a new cluster: the template's defaults, overridden by the class, overridden by the user.
 * Huge pages follow the class alone: an engine that finds pages its container may not use dies of SIGBUS.
 * @returns sorted by name
 * @throws UserError naming the first parameter that cannot be as asked
 */
export function effectiveParameters(request: ParameterRequest): ParameterValues {
  const { template } = request;
  const values = new Map<string, string>();
  for (const item of template.items.values()) {
    if (item.defaultValue !== undefined) values.set(item.name, resolveDefault(item, item.defaultValue, request));
  }
  for (const [name, value] of Object.entries(request.class.parameters)) {
    if (existsIn(template.engine, name)) values.set(canonical(template, name), value);
  }
  const user = checkUserParameters(request);
  for (const [name, value] of Object.entries(user)) values.set(name, value);
  values.set('huge_pages', request.class.hugepagesMi > 0 ? 'on' : 'off');
  checkTogether(template, values, request);
  return Object.fromEntries([...values].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Classes are shared by both engines; what only PolarDB knows would keep stock PostgreSQL from starting. */
const existsIn = (engine: EngineName, name: string): boolean =>
  engine === 'polardb' || !name.toLowerCase().startsWith('polar_');

const canonical = (template: ParameterTemplate, name: string): string =>
  template.items.get(name.toLowerCase())?.name ?? name;

function resolveDefault(item: ParameterItem, value: string, request: ParameterRequest): string {
  if (!isFormula(value)) return value;
  const result = evaluateFormula(value, {
    memory: totalMemory(request),
    cpu: request.class.cpu.limitMillis / 1000,
    storage: request.storageMi ?? Infinity,
  });
  if (item.kind === 'DOUBLE') return String(Math.round(result * 1000) / 1000);
  return item.kind === 'B' ? `${Math.floor(result)}MB` : String(Math.floor(result));
}

const totalMemory = ({ class: { memory, hugepagesMi } }: ParameterRequest): number => memory.limitMi + hugepagesMi;

/**
 * The user's values in the engine's form, by the template's names.
 * @throws UserError naming the first parameter that is unknown, locked or has a bad value
 */
export function checkUserParameters({
  template,
  user = {},
  allowLocked = false,
}: Pick<ParameterRequest, 'template' | 'user' | 'allowLocked'>): ParameterValues {
  return Object.fromEntries(
    Object.entries(user).map(([name, value]) => {
      const item = template.items.get(name.trim().toLowerCase());
      if (!item)
        throw new UserError(`parameter ${name}`, `${template.engine} has no such parameter, or it is not yours to set`);
      if (!item.changeable && !allowLocked)
        throw new UserError(`parameter ${name}`, 'is locked by the template; remove it');
      return [item.name, checked(item, value)];
    }),
  );
}

function checked(item: ParameterItem, value: string): string {
  try {
    return checkValue(item, unquote(value));
  } catch (error) {
    if (!(error instanceof BadValue)) throw error;
    throw new UserError(`parameter ${item.name}`, `${error.message}; ${error.remedy}`, { cause: error });
  }
}

/** Rules over several values that the engine checks only at its start, when it is too late. */
function checkTogether(template: ParameterTemplate, values: Map<string, string>, request: ParameterRequest): void {
  const reserved = Number(values.get('superuser_reserved_connections') ?? 3);
  const connections = Number(values.get('max_connections') ?? 100);
  if (connections <= reserved) {
    throw new UserError('parameter max_connections', `must be above superuser_reserved_connections (${reserved})`);
  }
  const buffers = toMebibytes(
    values.get('shared_buffers') ?? '128MB',
    template.items.get('shared_buffers')?.baseUnit ?? '8kB',
  );
  const most = Math.floor(totalMemory(request) * 0.8);
  if (buffers !== undefined && buffers > most) {
    throw new UserError(
      'parameter shared_buffers',
      `is ${Math.ceil(buffers)} MB; class ${request.class.name} has ${totalMemory(request)} MB, write at most ${most}MB`,
    );
  }
}

/** Names among `changed` that wait for a restart; what the template does not know counts as such. */
export const needRestart = (template: ParameterTemplate, changed: readonly string[]): string[] =>
  changed.filter(name => template.items.get(name.toLowerCase())?.dynamic !== true);
