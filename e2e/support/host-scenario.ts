import { readFile } from 'node:fs/promises';
import { ensureSshd } from '../../operator/daemon/host/testing/real-sshd.ts';
import { Host } from './host.ts';
import { HostApi } from './host-api.ts';
import { HostDaemons } from './host-daemons.ts';
import { scenario, type Scenario } from './scenario.ts';

/** Nodes with an sshd each and the part `daemon` on them. */
export class HostScenario {
  readonly scene: Scenario;
  readonly daemons: HostDaemons;
  #hosts: readonly Host[] = [];
  #api: HostApi | undefined;

  constructor(scene: Scenario) {
    this.scene = scene;
    this.daemons = new HostDaemons(scene);
  }

  get hosts(): readonly [Host, Host, Host] {
    const [first, second, third] = this.#hosts;
    if (!first || !second || !third) throw new Error('the hosts are there in tests and hooks only');
    return [first, second, third];
  }

  get api(): HostApi {
    if (!this.#api) throw new Error('the API is there in tests and hooks only');
    return this.#api;
  }

  async open(): Promise<void> {
    const { scene, daemons } = this;
    this.#hosts = await Promise.all(scene.local.nodes.map(({ name }) => Host.open(scene, name)));
    const [{ sshd: first }] = this.hosts;
    const publicKey = await readFile(first.path('key.pub'), 'utf8');
    await Promise.all(this.#hosts.map(host => host.letIn(publicKey)));
    await Promise.all(this.#hosts.map(({ sshd }) => sshd.start()));
    const known = await Promise.all(this.#hosts.map(({ name, sshd }) => sshd.knownAs(name)));
    await daemons.install({ privateKey: await readFile(first.path('key'), 'utf8'), knownHosts: known.join('') });
    this.#api = await HostApi.open(scene);
  }

  async close(): Promise<void> {
    await this.#api?.close();
    await this.daemons.remove();
    await Promise.all(this.#hosts.map(host => host.close()));
  }
}

/** As {@link scenario}, with daemons; they are taken away after everything else. */
export function hostScenario(name: string): HostScenario {
  const opened = new HostScenario(scenario(name));
  before(async function () {
    this.timeout(240_000);
    await ensureSshd();
    await opened.open();
  });
  after(async function () {
    this.timeout(120_000);
    await opened.close();
  });
  return opened;
}
