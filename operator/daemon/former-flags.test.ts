import { Command } from 'commander';
import { expect } from 'chai';
import { daemonCommand } from '../daemon-command.ts';
import { formerFlagsIn } from './former-flags.ts';

/** As the original's manifest has them, and the rest of its own flags. */
const ORIGINAL = [
  '--v=5',
  '--logtostderr=false',
  '--log-dir=/kube-log',
  '--log-file=/kube-log/polardb-net.log',
  '--log-flush-frequency=2s',
  '--stderrthreshold=1',
  '--dbcluster-log-dir=/disk1/polardb/',
  '--ins-folder-overdue-days=7',
  '--events-enable-upload=true',
  '--events-upload-url=http://rds-redline-worker-log-api.rds:8080/',
  '--events-upload-timeout=3',
  '--job-enable-del-fip=true',
  '--job-enable-add-fip=true',
  '--polarstack-daemon-pod-labels=app=polarstack-daemon',
  '--core-version-cm-labels=configtype=minor_version_info,dbClusterMode=WriteReadMore',
  '--mpd-controller-cm-name=polardb4mpd-controller',
  '--service-owner-db-cluster=mpdcluster',
  '--master=https://10.0.0.1:6443',
  '--kubeconfig=/root/.kube/config',
  '--node-status-update-frequency=10s',
  '--current-node-name=host-1',
  '--develop-mode',
  '--port=8900',
];

const parsed = (...args: string[]): Record<string, unknown> => {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  daemonCommand(command, Number);
  command.action(() => undefined);
  return command.parse(args, { from: 'user' }).opts();
};

describe('flags of the daemon', () => {
  it('are those of the original, all of them', () =>
    expect(parsed(...ORIGINAL)).to.include({
      currentNodeName: 'host-1',
      dbclusterLogDir: '/disk1/polardb',
      insFolderOverdueDays: 7,
      port: 8900,
      master: 'https://10.0.0.1:6443',
    }));

  it('have the defaults of the original', () =>
    expect(parsed()).to.include({
      dbclusterLogDir: '/flash/polardb_dbcluster',
      insFolderOverdueDays: 3,
      port: 8900,
      polarstackDaemonPodLabels: 'app=polarstack-daemon',
      coreVersionCmLabels: 'configtype=minor_version_info,dbClusterMode=WriteReadMore',
      mpdControllerCmName: 'polardb4mpd-controller',
    }));

  it('that mean nothing any more are named, with the reason', () => {
    const former = formerFlagsIn(ORIGINAL);
    expect(former.map(({ flag }) => flag)).to.deep.equal([
      '--v',
      '--logtostderr',
      '--log-dir',
      '--log-file',
      '--log-flush-frequency',
      '--stderrthreshold',
      '--events-enable-upload',
      '--events-upload-url',
      '--events-upload-timeout',
      '--job-enable-del-fip',
      '--job-enable-add-fip',
      '--service-owner-db-cluster',
      '--node-status-update-frequency',
      '--develop-mode',
    ]);
    for (const { why } of former) expect(why).not.to.equal('');
  });

  for (const path of ['logs', '/', '']) {
    it(`refuse "${path}" as a folder to clean up`, () =>
      expect(() => parsed(`--dbcluster-log-dir=${path}`)).to.throw());
  }
});
