/** Imports go one way: the rules of the house (docs/decisions, README "map of the house"). */
const room = name => `^operator/${name}/`;
/** `from` may import, of our own code, only what `to` lists (and itself). */
const only = (name, from, to) => ({
  name,
  severity: 'error',
  from: { path: from, pathNot: '\\.test\\.ts$|/testing/' },
  to: { path: '^(crds|manifests|operator|scripts|e2e)/', pathNot: [from, ...to] },
});

export default {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    only('model-imports-nothing', room('model'), []),
    only('crds-import-nothing-but-model', '^crds/', [room('model')]),
    only('manifests-import-crds-and-model', '^manifests/', ['^crds/', room('model')]),
    only('kube-knows-no-cluster', room('kube'), [room('model')]),
    only('workflow-knows-no-cluster', room('workflow'), [room('model')]),
    only('observe-knows-no-cluster', room('observe'), [room('model')]),
    only('engine-knows-no-cluster', room('engine'), [room('model')]),
    only('ha-is-pure', room('ha'), [room('model')]),
    only('pki-knows-no-cluster', room('pki'), [room('model')]),
    only('kinds', room('kinds'), ['^crds/', ...['model', 'kube'].map(room)]),
    only('settings', room('settings'), [room('model')]),
    only('agent-api', room('agent-api'), [room('model'), room('ha'), room('engine')]),
    only('agent', room('agent'), ['model', 'ha', 'engine', 'agent-api'].map(room)),
    only('http-api-knows-no-cluster', room('http-api'), ['model', 'kube'].map(room)),
    only('lifecycle', room('lifecycle'), [
      '^crds/',
      ...['model', 'ha', 'agent-api', 'kinds', 'kube', 'workflow', 'observe', 'settings', 'pki'].map(room),
    ]),
    only('failover', room('failover'), [
      '^crds/',
      ...['model', 'ha', 'agent-api', 'http-api', 'kinds', 'kube', 'workflow', 'observe', 'settings', 'pki'].map(room),
    ]),
    only('daemon', room('daemon'), [
      '^crds/',
      ...['model', 'ha', 'agent-api', 'http-api', 'kinds', 'kube', 'observe', 'settings', 'pki'].map(room),
    ]),
    {
      name: 'operator-not-scripts',
      severity: 'error',
      from: { path: '^operator/' },
      to: { path: '^(scripts|manifests)/' },
    },
    {
      name: 'tests-stay-tests',
      severity: 'error',
      from: { pathNot: '\\.test\\.ts$|/testing/|^e2e/' },
      to: { path: '\\.test\\.ts$|^operator/.*/testing/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.mjs', '.js'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node'],
    },
  },
};
