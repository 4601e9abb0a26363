import { expect } from 'chai';
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
