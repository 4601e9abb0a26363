import { expect } from 'chai';
import fc from 'fast-check';
import { portInRange } from '../../model/ports.ts';
import { ephemeralPart } from './ephemeral.ts';
import type { Socket } from './socket-table.ts';
import { portUsage, usedPorts } from './used.ts';

const ranges = [
  { first: 5400, last: 5800 },
  { first: 36000, last: 36000 },
];
const socket = (port: number, protocol: Socket['protocol'] = 'tcp'): Socket => ({
  protocol,
  port,
  address: '00000000',
  inode: port,
});

describe('used ports', () => {
  it('both ends of a range count, each port once, in order', () => {
    const ports = [36000, 5399, 5801, 5800, 5400, 36001, 5400].map(port => socket(port));
    expect(usedPorts([...ports, socket(5500, 'udp')], ranges)).to.deep.equal([5400, 5500, 5800, 36000]);
  });

  const now = '2026-11-21T10:00:00Z';
  const data = { '5400': 'the port already use', '36000': 'the port already use' };
  for (const [what, current, written] of [
    ['a map that is not there', undefined, { data, annotations: { updateTimestamp: now } }],
    ['the same', { data }, undefined],
    ['another port', { data: { '5401': 'the port already use' } }, { data, annotations: { updateTimestamp: now } }],
    ['a further port', { data: { ...data, '1': 'x' } }, { data, annotations: { updateTimestamp: now } }],
    ['another text', { data: { ...data, '36000': '' } }, { data, annotations: { updateTimestamp: now } }],
  ] as const) {
    it(`${what}: the original's form`, () => expect(portUsage([5400, 36000])(current, now)).to.deep.equal(written));
  }

  it('no port in use is a fact, too', () =>
    expect(portUsage([])(undefined, now)).to.deep.equal({ data: {}, annotations: { updateTimestamp: now } }));
});

describe('ports that outgoing connections get', () => {
  for (const [what, local, reserved, part] of [
    ['none in common', '10000 20000', '', []],
    ['one in common', '36000\t60999\n', '', [{ first: 36000, last: 36000 }]],
    [
      'reserved',
      '5500 60999',
      '5600-5700,36000\n',
      [
        { first: 5500, last: 5599 },
        { first: 5701, last: 5800 },
      ],
    ],
    ['all reserved', '1 65535', '5000-40000', []],
    ['not to be read', '', '', []],
  ] as const) {
    it(what, () => expect(ephemeralPart(ranges, local, reserved)).to.deep.equal(part));
  }

  it('property: exactly those of the ranges that are given and not reserved', () => {
    const range = fc
      .tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 20 }))
      .map(([first, more]) => ({ first, last: first + more }));
    fc.assert(
      fc.property(
        fc.array(range, { maxLength: 3 }),
        range,
        fc.array(range, { maxLength: 4 }),
        (watched, local, kept) => {
          const reserved = kept.map(({ first, last }) => `${first}-${last}`).join(',');
          const part = ephemeralPart(watched, `${local.first} ${local.last}`, reserved);
          for (let port = 1; port <= 90; port++) {
            const is = watched.some(one => portInRange(port, one)) && portInRange(port, local);
            const expected = is && !kept.some(one => portInRange(port, one));
            expect(part.some(one => portInRange(port, one))).to.equal(expected);
          }
        },
      ),
    );
  });
});
