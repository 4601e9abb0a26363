import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { CardView, SeenAddress } from './card.ts';
import type { LinkState, NetworkFact } from './fact.ts';

const execute = promisify(execFile);

/** In a network of its own, with that network's /sys. */
const enter = (script: string): readonly [string, string[]] => [
  'unshare',
  ['--net', '--mount', 'sh', '-ec', `mount -t sysfs sysfs /sys; ${script}`],
];

const LOOK = `
import { execFileSync } from 'node:child_process';
import { networkInterfaces } from 'node:os';
const [room, card, state] = process.argv.slice(1);
const { readCard } = await import(room + '/card.ts');
const { parseAddresses } = await import(room + '/ip-address.ts');
const { judgeNetwork } = await import(room + '/judge.ts');
// The kernel tells of a link up to a second later than it has it.
const end = Date.now() + 3_000;
const read = () => readCard(card, { sys: '/sys', interfaces: networkInterfaces });
let seen = await read();
while (seen.state !== state && Date.now() < end) {
  await new Promise(resolve => setTimeout(resolve, 50));
  seen = await read();
}
const told = seen.state === 'absent' ? undefined
  : parseAddresses(card, execFileSync('ip', ['-json', '-details', 'address', 'show', 'dev', card], { encoding: 'utf8' }));
const fact = judgeNetwork({ seen, told, published: undefined, oob: undefined, gaps: [] });
process.stdout.write(JSON.stringify({ seen, told, fact }));
`;

interface Looked {
  seen: CardView;
  told?: SeenAddress[];
  fact: NetworkFact;
}

/** What is seen of card0 once these commands were given and it has come to this state, or does not. */
async function look(state: LinkState, ...commands: string[]): Promise<Looked> {
  const script = [...commands, 'exec "$0" "$@"'].join('; ');
  const [program, args] = enter(script);
  const child = [process.execPath, '--input-type=module', '-e', LOOK, '--', import.meta.dirname, 'card0', state];
  return JSON.parse((await execute(program, [...args, ...child])).stdout) as Looked;
}

/** Virtual cards that this kernel can make. */
const kinds = new Set<string>();
for (const kind of ['bond', 'vlan']) {
  const below = 'ip link add below0 type veth peer name below1';
  const [program, args] = enter(
    `${below}; ip link add link below0 name it0 type ${kind}${kind === 'vlan' ? ' id 5' : ''}`,
  );
  await execute(program, args).then(
    () => kinds.add(kind),
    () => undefined,
  );
}

describe(`cards of a real kernel (${['veth', 'bridge', ...kinds].join(', ')})`, function () {
  this.timeout(60_000);
  const PAIR = 'ip link add card0 type veth peer name end0';
  const UP = 'ip link set card0 up; ip link set end0 up';
  const V4 = 'ip address add 192.0.2.7/24 dev card0';
  const V6 = 'ip address add 2001:db8::7/64 dev card0 nodad';
  const outcome = ({ fact: { state, kind, clientIp } }: Looked): string => `${kind} ${state} ${clientIp ?? 'none'}`;

  for (const [what, commands, wanted] of [
    ['that is up', [PAIR, V4, UP], 'ethernet up 192.0.2.7'],
    ['that nobody made', [], 'other absent none'],
    ['that is switched off: its address is told by ip', [PAIR, V4], 'ethernet down 192.0.2.7'],
    ['without link at its other end', [PAIR, V4, 'ip link set card0 up'], 'ethernet lowerLayerDown 192.0.2.7'],
    ['without address', [PAIR, UP], 'ethernet up none'],
    ['of IPv6 alone', [PAIR, UP, V6], 'ethernet up 2001:db8::7'],
    ['of both families', [PAIR, UP, V6, V4], 'ethernet up 192.0.2.7'],
    ['whose IPv6 address is about to go', [PAIR, UP, `${V6} preferred_lft 0`], 'ethernet up none'],
    ['whose IPv6 address is not yet proven unique', [PAIR, UP, V6.replace(' nodad', '')], 'ethernet up none'],
    [
      'with an address that floats from host to host',
      [PAIR, UP, 'ip address add 192.0.2.99/32 dev card0', V4],
      'ethernet up 192.0.2.7',
    ],
    ['with a secondary address', [PAIR, UP, V4, 'ip address add 192.0.2.3/24 dev card0'], 'ethernet up 192.0.2.7'],
  ] as const) {
    it(`a card ${what}`, async () => {
      const [, state] = wanted.split(' ') as [string, LinkState];
      expect(outcome(await look(state, ...commands))).to.equal(wanted);
    });
  }

  const MEMBER = 'ip link add low0 type veth peer name end0; ip link set low0 up; ip link set end0 up';
  const BRIDGE = [MEMBER, 'ip link add card0 type bridge; ip link set low0 master card0; ip link set card0 up', V4];

  it('a bridge stands on its members', async () => {
    const up = await look('up', ...BRIDGE);
    expect([outcome(up), up.seen.lower]).to.deep.equal(['bridge up 192.0.2.7', { low0: 'up' }]);
    const down = await look('down', ...BRIDGE, 'ip link set low0 down');
    expect([down.fact.state, down.seen.lower]).to.deep.equal(['down', { low0: 'down' }]);
  });

  if (kinds.has('vlan')) {
    it('a VLAN stands on its card', async () => {
      const vlan = [MEMBER, 'ip link add link low0 name card0 type vlan id 5; ip link set card0 up', V4];
      expect(outcome(await look('up', ...vlan))).to.equal('vlan up 192.0.2.7');
      const down = await look('lowerLayerDown', ...vlan, 'ip link set end0 down');
      expect([down.fact.state, down.seen.lower]).to.deep.equal(['lowerLayerDown', { low0: 'lowerLayerDown' }]);
    });
  }

  if (kinds.has('bond')) {
    it('a bond is up while one of its cards is', async () => {
      const cards = ['a', 'b'].map(
        n =>
          `ip link add low${n} type veth peer name end${n}; ip link set end${n} up; ip link set low${n} master card0`,
      );
      const bond = ['ip link add card0 type bond mode active-backup miimon 10', ...cards, 'ip link set card0 up', V4];
      const half = await look('up', ...bond, 'ip link set enda down; sleep 1.5');
      expect(outcome(half)).to.equal('bond up 192.0.2.7');
      expect(half.seen.lower).to.deep.equal({ lowa: 'lowerLayerDown', lowb: 'up' });
    });
  }
});
