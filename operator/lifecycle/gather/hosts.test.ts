import { expect } from 'chai';
import type { Node } from '../../kube/resources.ts';
import { hostOf, nodeOf, portMap, versionMap } from '../testing/hosts.ts';
import { clientAddress, hostView, nodeSign, trimHostFacts, trimNode } from './hosts.ts';

const heard = new Date('2026-01-01T12:00:00Z');

describe('what is known of a host', () => {
  it('ports and versions, once its daemon told', () => {
    const told = hostOf('node-1', { ports: [5500], versions: ['pg15', 'pg16'] });
    expect([told.isPortUsed(5500), told.isPortUsed(5501)]).to.deep.equal([true, false]);
    expect(told.versions).to.deep.equal(['pg15', 'pg16']);
    expect(hostOf('node-1', { versions: [] }).versions).to.deep.equal([]);
    const silent = hostOf('node-1');
    expect([silent.isPortUsed(5500), silent.versions]).to.deep.equal([false, undefined]);
  });

  for (const [clientIp, address] of [
    ['10.0.0.7', '10.0.0.7'],
    ['fd00::7', 'fd00::7'],
    ['0.0.0.0', undefined],
    ['no address', undefined],
    [undefined, undefined],
  ] as const) {
    it(`client address ${clientIp}`, () => {
      const host = hostOf('node-1', clientIp === undefined ? {} : { clientIp });
      expect(clientAddress(host, heard, { nodeName: 'node-1', hostClientIP: '10.0.0.8' })).to.equal(address);
    });
  }

  for (const [ageMs, told, address] of [
    [90_000, { nodeName: 'node-1', hostClientIP: '10.0.0.8' }, '10.0.0.7'],
    [91_000, undefined, undefined],
    [91_000, { nodeName: 'node-1', hostClientIP: '10.0.0.8' }, '10.0.0.8'],
    [91_000, { nodeName: 'node-2', hostClientIP: '10.0.0.8' }, undefined],
  ] as const) {
    it(`client address of a daemon that spoke ${ageMs} ms ago, when clients were told ${told?.hostClientIP} of ${told?.nodeName}`, () => {
      const host = hostOf('node-1', { heard, clientIp: '10.0.0.7' });
      expect(clientAddress(host, new Date(heard.getTime() + ageMs), told)).to.equal(address);
    });
  }
});

describe('what is kept of nodes and facts', () => {
  it('is what is looked at, and nothing else', () => {
    const node = nodeOf('node-1', { heard, isCutOff: true, clientIp: '10.0.0.7' });
    const full = { ...node, status: { ...node.status, nodeInfo: {}, images: [] } } as unknown as typeof node;
    const kubelets = { type: 'Ready', status: 'True' } as const;
    full.status!.conditions = [...node.status!.conditions!, kubelets];
    expect(trimNode(full).status).to.deep.equal({ conditions: node.status!.conditions });
    expect(hostView(trimNode(full), {}).conditions).to.deep.equal(node.status!.conditions);
  });

  it('keeps the keys of ports, and the names of versions', () => {
    expect(trimHostFacts(portMap('node-1', [22, 5500], 'kube-system')).data).to.deep.equal({ 22: '', 5500: '' });
    expect(trimHostFacts(versionMap('node-1', ['pg15'], 'kube-system')).data).to.include({ existingVersions: 'pg15' });
  });
});

describe('news of a node', () => {
  const before = nodeOf('node-1', { heard, isCutOff: false, clientIp: '10.0.0.7' });
  for (const [what, after, isNews] of [
    [
      'a heartbeat',
      nodeOf('node-1', { heard: new Date(heard.getTime() + 30_000), isCutOff: false, clientIp: '10.0.0.7' }),
      false,
    ],
    ['a link that goes down', nodeOf('node-1', { heard, isCutOff: true, clientIp: '10.0.0.7' }), true],
    ['another address', nodeOf('node-1', { heard, isCutOff: false, clientIp: '10.0.0.8' }), true],
    ['a taint', { ...before, spec: { taints: [{ key: 'x', effect: 'NoSchedule' as const }] } }, true],
    ['a cordon', { ...before, spec: { unschedulable: true } }, true],
    [
      'a label of ours',
      nodeOf('node-1', {
        heard,
        isCutOff: false,
        clientIp: '10.0.0.7',
        labels: { 'mpd.polardb.aliyun.com/maintainNode': '' },
      }),
      true,
    ],
    ["somebody else's label", { ...before, metadata: { ...before.metadata, labels: { x: 'y' } } }, false],
  ] as [string, Node, boolean][]) {
    it(`${what}: ${isNews ? 'all clusters are looked at' : 'nothing'}`, () => {
      expect(nodeSign(after) !== nodeSign(before)).to.equal(isNews);
    });
  }
});
