import { expect } from 'chai';
import { readDaemonSettings, type DaemonMaps } from './settings.ts';

const map = (name: string, data: Record<string, string>, annotations?: Record<string, string>) => ({
  metadata: { name, annotations },
  data,
});
const maps = (over: {
  network?: Record<string, string>;
  controller?: Record<string, string>;
  ports?: Record<string, string>;
}): DaemonMaps => ({
  network: over.network && map('ccm-config', over.network),
  controller: over.controller && map('controller-config', over.controller),
  ports: over.ports && map('polardb4mpd-controller', {}, over.ports),
  versions: [],
});

describe('settings of a host', () => {
  it('are the defaults where no map is', () => {
    expect(readDaemonSettings(maps({}))).to.deep.include({
      card: 'bond1',
      sshUser: 'root',
      isSshOn: true,
      isPortPrintingOn: true,
      isOobOn: false,
      portRanges: undefined,
      problems: [],
    });
  });

  it('take the words of the original for yes and no', () => {
    const controller = { enablePrintPort: 'N', isCheckOObIP: 'T', enableSsh: '0', sshUser: 'polardb' };
    expect(readDaemonSettings(maps({ controller }))).to.deep.include({
      isPortPrintingOn: false,
      isOobOn: true,
      isSshOn: false,
      sshUser: 'polardb',
    });
  });

  it('watch every annotation that is a range, as one list without overlaps', () => {
    const ports = {
      'polarbox.mpd.engine.port.range': '30000-32999',
      'polarbox.mpd.maxscale.port.range': '33000-35999',
      'polarbox.novip.engine.port.range': '5400-5800',
      'polarbox.mpd.reserved.port.ranges': '5500,7000-7010',
      'other.tool/note': 'not a range',
      'other.tool/port': '9000',
    };
    const { portRanges, problems } = readDaemonSettings(maps({ ports }));
    expect(portRanges).to.deep.equal([
      { first: 5400, last: 5800 },
      { first: 7000, last: 7010 },
      { first: 9000, last: 9000 },
      { first: 30000, last: 35999 },
    ]);
    expect(problems).to.deep.equal([]);
  });

  it('keep the last good value of a key, and name map and key', () => {
    const good = readDaemonSettings(
      maps({
        network: { NET_CARD_NAME: 'bond0' },
        controller: { enablePrintPort: 'no', sshUser: 'polardb' },
        ports: { 'polarbox.novip.engine.port.range': '5400-5800', 'polarbox.mpd.external.port.range': '36000-39999' },
      }),
    );
    const bad = readDaemonSettings(
      maps({
        network: { NET_CARD_NAME: 'bond0; reboot' },
        controller: { enablePrintPort: 'perhaps', sshUser: ' ', enableRedline: 'the operator tells this one' },
        ports: { 'polarbox.novip.engine.port.range': '5800-5400', 'polarbox.mpd.external.port.range': '36000-37000' },
      }),
      good,
    );
    expect(bad).to.deep.include({ card: 'bond0', sshUser: 'polardb', isPortPrintingOn: false });
    expect(bad.portRanges).to.deep.equal([
      { first: 5400, last: 5800 },
      { first: 36000, last: 37000 },
    ]);
    expect(bad.problems.map(problem => `${problem.map} ${problem.key}`)).to.deep.equal([
      'ccm-config NET_CARD_NAME',
      'controller-config sshUser',
      'controller-config enablePrintPort',
      'polardb4mpd-controller polarbox.novip.engine.port.range',
    ]);
  });

  it('take and keep what is said of pre-pull and clean-up', () => {
    const controller = { prePullImages: 'yes', prePullHosts: '3', prePullMiBPerSecond: '0', logCleanUp: 'plan' };
    const good = readDaemonSettings(maps({ controller: { ...controller, logSize: '2Gi', logDiskPercent: '70' } }));
    const logLimits = { maxInstanceLogBytes: 2 * 2 ** 30, diskHighPercent: 70 };
    const said = { prePull: { isOn: true, hosts: 3, mibPerSecond: 0 }, logMode: 'plan', logLimits };
    expect(good).to.deep.include(said);
    const wrong = {
      ...{ prePullImages: '?', prePullHosts: '0', prePullMiBPerSecond: '-1', logCleanUp: 'delete' },
      ...{ logSize: 'much', logDiskPercent: '101' },
    };
    const bad = readDaemonSettings(maps({ controller: wrong }), good);
    expect(bad).to.deep.include(said);
    expect(bad.problems.map(({ key }) => key)).to.deep.equal(Object.keys(wrong));
    const defaults = { prePull: { isOn: false, hosts: 2, mibPerSecond: 50 }, logMode: 'apply' };
    expect(readDaemonSettings(maps({}), good)).to.deep.include(defaults);
  });

  it('take and keep where sshd listens, which must be an address that each host has', () => {
    const at = (sshAddress: string, sshPort = '2222') => maps({ controller: { sshAddress, sshPort } });
    expect(readDaemonSettings(maps({})).sshd).to.deep.equal({ address: '127.0.0.1', port: 22 });
    for (const address of ['InternalIP', '::1', '127.0.0.2']) {
      expect(readDaemonSettings(at(address))).to.deep.include({ sshd: { address, port: 2222 }, problems: [] });
    }
    const good = readDaemonSettings(at('::1'));
    for (const [address, port] of [
      ['192.0.2.7', '0'],
      ['127.1; reboot', '65536'],
      ['host.example', 'ssh'],
      ['', '-22'],
    ] as const) {
      const { sshd, problems } = readDaemonSettings(at(address, port), good);
      expect(sshd).to.deep.equal({ address: '::1', port: 2222 });
      expect(problems.map(({ key }) => key)).to.deep.equal(['sshAddress', 'sshPort']);
    }
  });

  it('keep the ranges when their map is gone: without ranges all ports would look free', () => {
    const good = readDaemonSettings(maps({ ports: { 'a.port.range': '100-200' } }));
    expect(readDaemonSettings(maps({}), good).portRanges).to.deep.equal([{ first: 100, last: 200 }]);
    expect(readDaemonSettings(maps({ ports: {} }), good).portRanges).to.deep.equal([]);
  });
});
