import { expect } from 'chai';
import { parseAgentConfig, type AgentConfigInput } from './config.ts';

const config: AgentConfigInput = {
  cluster: { namespace: 'db', name: 'orders', uid: 'u-1' },
  group: 'orders',
  instanceId: '1001',
  dbType: 'postgresql',
  topology: 'local',
  ports: { engine: 5432, agent: 8443, health: 8081 },
  paths: { data: '/data', run: '/run/p', tls: '/tls', replicator: '/replicator/Password', log: '/data/log' },
  record: { namespace: 'db', leaseName: 'orders-primary' },
};

describe('agent configuration', () => {
  it('fills in the limits', () => {
    const { limits } = parseAgentConfig(JSON.stringify(config));
    expect(limits).to.include({ stopFastMs: 30_000, rightTtlMs: 3_000, logFiles: 15, logFileBytes: 10_485_760 });
  });

  it('keeps given limits', () => {
    const text = JSON.stringify({ ...config, limits: { stopFastMs: 500 } });
    expect(parseAgentConfig(text).limits).to.include({ stopFastMs: 500, stopImmediateMs: 5_000 });
  });

  for (const [what, change, message] of [
    ['a relative path', { paths: { ...config.paths, run: 'run' } }, 'paths.run'],
    ['a port out of range', { ports: { ...config.ports, agent: 0 } }, 'ports.agent'],
    ['an instance id that is no name', { instanceId: 'a/b' }, 'instanceId'],
    ['share without the shared volume', { topology: 'share' }, 'paths.shared'],
  ] as const) {
    it(`refuses ${what}`, () =>
      expect(() => parseAgentConfig(JSON.stringify({ ...config, ...change }))).to.throw(message));
  }
});
