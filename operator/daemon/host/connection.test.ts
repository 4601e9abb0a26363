import { expect } from 'chai';
import { silentLogger } from '../../kube/testing/support.ts';
import { FakeClock } from '../../kube/testing/fake-clock.ts';
import type { Account } from './account.ts';
import { HostConnection } from './connection.ts';
import { FakeSshd, newKeyPair, type KeyPair } from './testing/fake-sshd.ts';

describe('a connection that is refused', () => {
  let hostKey: KeyPair;
  let otherKey: KeyPair;
  let ownKey: KeyPair;
  let sshd: FakeSshd;
  let clock: FakeClock;
  let account: Account;
  let connection: HostConnection;
  const warnings: string[] = [];

  before(() => {
    [hostKey, otherKey, ownKey] = [newKeyPair(), newKeyPair(), newKeyPair()];
  });
  beforeEach(async () => {
    sshd = new FakeSshd(hostKey);
    await sshd.start();
    account = {
      ...{ address: '127.0.0.1', port: sshd.port, user: 'root', privateKey: ownKey.privateKey },
      knownHosts: `node-1 ${hostKey.publicKey}`,
    };
    clock = new FakeClock();
    warnings.length = 0;
    const log = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
    connection = new HostConnection({ host: 'node-1', clock, random: () => 0.5, log });
  });
  afterEach(async () => {
    connection.close();
    await sshd.stop();
  });

  /** Why there is no connection; undefined when there is one. */
  const objection = (): Promise<string | undefined> =>
    connection.get(account).then(
      () => undefined,
      (error: unknown) => (error as Error).message,
    );
  /** Asks twice a second, as a loop of many callers would; how often the host heard of it. */
  async function triesWithin(ms: number): Promise<number> {
    const before = sshd.reached;
    for (let now = 0; now < ms; now += 500) {
      expect(await objection()).to.match(/^the host (shows the key|does not let the account root in)/);
      await clock.advance(500);
    }
    return sshd.reached - before;
  }

  it('asks no oftener than an sshd forgives failed logins, and again within seconds', async () => {
    sshd.isOpen = false;
    expect(await triesWithin(12_000), 'at 0, 2 and 6 s').to.equal(3);
    expect(await triesWithin(30_000), 'at 12, 18 s and so on').to.equal(5);
    sshd.isOpen = true;
    await clock.advance(6_000);
    expect(await objection()).to.equal(undefined);
    expect(warnings).to.deep.equal(['host commands do not work']);
  });

  it('asks within two seconds where the host showed another key: that was no login', async () => {
    account.knownHosts = `node-1 ${otherKey.publicKey}`;
    await triesWithin(10_000);
    expect(await triesWithin(10_000)).to.equal(5);
    expect(sshd.logins).to.equal(0);
  });

  const changes: [string, () => Partial<Account>][] = [
    ['key', () => ({ privateKey: ownKey.privateKey })],
    ['known_hosts', () => ({ knownHosts: `${account.knownHosts}\n# looked at\n` })],
    ['name', () => ({ user: 'polardb' })],
  ];
  for (const [what, change] of changes) {
    it(`asks at once with another ${what}, however often it was refused`, async () => {
      sshd.isOpen = false;
      account.privateKey = otherKey.privateKey;
      await triesWithin(12_500);
      expect(await triesWithin(5_000), 'it is in its pause').to.equal(0);
      sshd.isOpen = true;
      account = { ...account, ...change() };
      expect(await objection()).to.equal(undefined);
    });
  }
});
