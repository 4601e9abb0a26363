import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { commandLine, planOf } from './commands.ts';

describe('host commands', () => {
  for (const card of ['bond1', 'eth0.100', 'enp3s0f1np1', 'br-lan', 'v_1']) {
    it(`take the card ${card}`, () => expect(planOf({ name: 'addresses', card }).words.at(-1)).to.equal(card));
  }

  for (const card of ['', '-4', '.', '..', 'a b', 'a;b', 'a/b', "a'b", 'a\nb', '$(x)', 'sixteen-letters-', 'é']) {
    it(`refuse the card ${JSON.stringify(card)}`, () =>
      expect(() => planOf({ name: 'addresses', card })).to.throw('is no name of a network card'));
  }

  const sudoersOfTheGuide = (): string[] => {
    const guide = readFileSync(new URL('../../../docs/concepts/hosts.md', import.meta.url), 'utf8');
    const [, rule = ''] = /NOPASSWD: (.*)/.exec(guide) ?? [];
    return rule.split(', ').map(command => command.replace('/usr/bin/timeout', 'timeout'));
  };

  it('are ended by root where they run as root, by the very words that the guide lets sudo run', () => {
    const lines = ([{ name: 'multipaths' }, { name: 'bmcAddress' }] as const).map(it =>
      commandLine(planOf(it), 'polardb'),
    );
    const asRoot = lines.map(line => line.split(' sudo -n ')[1]);
    expect(asRoot).to.deep.equal(['timeout -k 2 10 multipathd show maps json', 'timeout -k 2 10 ipmitool lan print 1']);
    expect(sudoersOfTheGuide()).to.deep.equal(asRoot);
  });

  it('go without sudo for root itself', () =>
    expect(commandLine(planOf({ name: 'multipaths' }), 'root')).to.not.include('sudo'));

  it('give a shell nothing to interpret, whatever the argument is', () =>
    fc.assert(
      fc.property(fc.string(), fc.string(), (card, user) => {
        let line: string;
        try {
          line = commandLine(planOf({ name: 'addresses', card }), user);
        } catch {
          return;
        }
        expect(line).to.match(/^[A-Za-z0-9_@%+=:,./ -]+$/);
        expect(line.split(' ').at(-1)).to.equal(card);
      }),
    ));
});
