/** What is accepted and refused, for the parser and for a real API server alike. */

const target = { name: 'orders' };

export const ACCEPTED: readonly (readonly [string, unknown])[] = [
  ['a restart', { target, type: 'restartCluster' }],
  ['a switchover', { target, type: 'switchRw', switchRw: { instance: '1003' } }],
  ['a forced failover', { target, type: 'forceFailover', forceFailover: { instance: '1003', acceptDataLoss: true } }],
  ['a forced failover to the best', { target, type: 'forceFailover', forceFailover: { acceptDataLoss: true } }],
  ['a move', { target, type: 'migrate', migrate: { instance: '1003', node: 'dbm-02.example' } }],
  ['a creation, by the operator', { target, type: 'create', requestedBy: 'spec' }],
  [
    'a class change, by the operator',
    { target, type: 'modifyClass', requestedBy: 'spec', modifyClass: { className: 'x' } },
  ],
];

/** The field that is to blame, and what is refused. */
export const REFUSED: readonly (readonly [string, string, unknown])[] = [
  ['no target', 'spec.target', { type: 'restartCluster' }],
  ['another kind', 'spec.target.kind', { target: { kind: 'Pod', name: 'a' }, type: 'restartCluster' }],
  ['an unknown type', 'spec.type', { target, type: 'explode' }],
  ['a switchover to nobody', 'spec.switchRw', { target, type: 'switchRw' }],
  [
    'a forced failover without a word about loss',
    'spec.forceFailover.acceptDataLoss',
    { target, type: 'forceFailover', forceFailover: { instance: '1003' } },
  ],
  [
    'a forced failover that shall lose nothing',
    'spec.forceFailover.acceptDataLoss',
    { target, type: 'forceFailover', forceFailover: { acceptDataLoss: false } },
  ],
  ['the payload of another type', 'spec.migrate', { target, type: 'rebuild', migrate: { instance: '1', node: 'n' } }],
  ['an instance that cannot be', 'spec.switchRw.instance', { target, type: 'switchRw', switchRw: { instance: 'a b' } }],
  ['a creation by hand', 'spec.type', { target, type: 'create' }],
];

const move = { target, type: 'migrate', migrate: { instance: '1003', node: 'a' } };

/** From, to, and the field that is to blame when it is refused. */
export const EDITS: readonly (readonly [string, unknown, unknown, string?])[] = [
  ['cancel', move, { ...move, cancelled: true }],
  ['take back a cancel', { ...move, cancelled: true }, move, 'spec.cancelled'],
  ['target', move, { ...move, target: { name: 'other' } }, 'spec.target'],
  ['who asked', move, { ...move, requestedBy: 'automatic' }, 'spec.requestedBy'],
  ['type', { target, type: 'rebuild' }, { target, type: 'restartCluster' }, 'spec.type'],
  ['payload', move, { ...move, migrate: { instance: '1003', node: 'b' } }, 'spec.migrate'],
];
