import { AgentError } from '../agent-api/errors.ts';
import type { AccountLevel } from '../agent-api/requests.ts';
import { formatIncarnation } from '../ha/incarnation.ts';
import { commandStamp } from '../ha/record.ts';
import { RESOURCES, type Secret } from '../kube/resources.ts';
import { accountSecret, appSecret } from '../model/names.ts';
import { done, wait, type StepResult } from '../workflow/step.ts';
import { SYSTEM_ACCOUNTS } from './builders/secrets.ts';
import { agentOf, type ClusterContext } from './context.ts';
import { readRecord, recordSeen } from './gather/record.ts';

interface Account {
  name: string;
  level: AccountLevel;
  secret: Secret;
  passwordKey: 'Password' | 'password';
}

/**
 * Accounts and application database in the engine as the Secrets say; again when a Secret has changed, and once after
 * each change of the RW: where commits wait for nobody, the last of them may be missing there.
 */
export async function driveAccounts(context: ClusterContext): Promise<StepResult> {
  const { memory, plan } = context;
  const accounts = await readAccounts(context);
  const versions = accounts.map(({ secret }) => secret.metadata.resourceVersion);
  const sign = [plan.logicId, recordSeen(context)?.epoch, ...versions].join(' ');
  if (memory.isSettled('accounts', sign)) return done();
  try {
    if (!(await tellRw(context, accounts, sign))) return later(context, 'NoWriter', 'accounts wait for the RW');
  } catch (error) {
    // It is on its way out, or a command of the cluster manager overtook us.
    if (error instanceof AgentError && error.retryable) return later(context, error.code, error.message);
    throw error;
  }
  memory.settle('accounts', sign);
  return done();
}

/** @returns false when there is no RW to tell */
async function tellRw(context: ClusterContext, accounts: readonly Account[], sign: string): Promise<boolean> {
  const { plan, memory, signal } = context;
  const record = await readRecord(context);
  const rw = plan.instances.find(it => it.id === record?.holder?.instanceId);
  const agent = rw && agentOf(context, rw);
  if (!record?.holder || !agent) return false;
  const incarnation = formatIncarnation(record.holder);
  const command = (what: string) => ({ requestId: `${what} ${sign}`, incarnation, ...commandStamp(record) });
  for (const { name, level, secret, passwordKey } of accounts) {
    const body = { command: command(`account ${name}`), name, level, password: read(secret, passwordKey) };
    await agent.account(body, { signal });
  }
  const { database, owner } = plan.application;
  await agent.database({ command: command(`database ${database}`), name: database, owner }, { signal });
  memory.engineVersion = (await agent.state({ signal })).engine.version ?? memory.engineVersion;
  return true;
}

const later = ({ memory }: ClusterContext, reason: string, message: string): StepResult =>
  wait(reason, message, { retryInMs: memory.pause('accounts', reason) });

async function readAccounts(context: ClusterContext): Promise<Account[]> {
  const { plan } = context;
  const system = SYSTEM_ACCOUNTS.map(async ({ name, level }): Promise<Account> => {
    return {
      name,
      level,
      secret: await secretOf(context, accountSecret(plan.name, plan.logicId, name)),
      passwordKey: 'Password',
    };
  });
  const app = async (): Promise<Account> => {
    return {
      name: plan.application.owner,
      level: 1,
      secret: await secretOf(context, appSecret(plan.name)),
      passwordKey: 'password',
    };
  };
  return Promise.all([...system, app()]);
}

async function secretOf({ plan, tools, children }: ClusterContext, name: string): Promise<Secret> {
  const seen = children.secrets.find(secret => secret.metadata.name === name);
  const found = seen ?? (await tools.client.get(RESOURCES.secrets, { namespace: plan.namespace, name }));
  if (!found) throw new Error(`Secret ${name} is missing; it is made again with the next look`);
  return found;
}

function read(secret: Secret, key: string): string {
  const encoded = secret.data?.[key];
  if (!encoded) throw new Error(`Secret ${secret.metadata.name} has no key ${key}`);
  return Buffer.from(encoded, 'base64').toString();
}
