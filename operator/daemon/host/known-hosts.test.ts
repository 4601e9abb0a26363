import { expect } from 'chai';
import { createHmac } from 'node:crypto';
import { fingerprint, isTrusted, readKnownHosts, signaturesOf } from './known-hosts.ts';

const ED = Buffer.from('ed25519 key');
const RSA = Buffer.from('rsa key');
const ed = `ssh-ed25519 ${ED.toString('base64')}`;
const rsa = `ssh-rsa ${RSA.toString('base64')}`;
const hashed = (name: string): string => {
  const salt = Buffer.from('salt of twenty bytes');
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
};

describe('known_hosts', () => {
  const cases: [string, string, boolean][] = [
    ['a plain name', `node-1 ${ed}`, true],
    ['a name in other case', `NODE-1 ${ed} root@x`, true],
    ['one of several names', `other,node-1 ${ed}`, true],
    ['another name', `node-10 ${ed}`, false],
    ['a dot that is no pattern', `node.1 ${ed}`, false],
    ['a pattern', `node-? ${ed}`, true],
    ['a star', `* ${ed}`, true],
    ['a star without this one', `*,!node-1 ${ed}`, false],
    ['a hashed name', `${hashed('node-1')} ${ed}`, true],
    ['a hashed other name', `${hashed('node-2')} ${ed}`, false],
    ['an address with port', `[10.0.0.1]:2222 ${ed}`, true],
    ['an indented line after a comment', `# node-1 ${rsa}\n\n  node-1 ${ed}`, true],
    ['a comment', `# node-1 ${ed}`, false],
    ['a revoked key', `node-1 ${ed}\n@revoked * ${ed}`, false],
    ['a certificate authority', `@cert-authority node-1 ${ed}`, false],
    ['half a line', 'node-1 ssh-ed25519', false],
    ['nothing', '', false],
  ];
  for (const [what, text, expected] of cases) {
    it(`${expected ? 'trusts' : 'does not trust'} by ${what}`, () =>
      expect(isTrusted(readKnownHosts(text, ['node-1', '[10.0.0.1]:2222']), ED)).to.equal(expected));
  }

  it('does not trust another key', () =>
    expect(isTrusted(readKnownHosts(`node-1 ${ed}`, ['node-1']), RSA)).to.be.false);

  it('has the host asked for keys of the kinds that are known', () => {
    const known = readKnownHosts(`node-1 ${rsa}\nnode-1 ${ed}\nnode-1 ssh-dss AAAA\nnode-2 ecdsa-sha2-nistp256 AAAA`, [
      'node-1',
    ]);
    expect(signaturesOf(known)).to.deep.equal(['rsa-sha2-512', 'rsa-sha2-256', 'ssh-ed25519']);
  });

  it('prints a key as OpenSSH does', () =>
    expect(fingerprint(Buffer.from('x'))).to.equal('SHA256:LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE'));
});
