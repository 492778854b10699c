// Who may import whom: the table of src/README.md. Each folder is listed with all that it may import of the others.
const allowed = {
  domain: [],
  files: ['domain'],
  inventory: ['domain'],
  render: ['domain'],
  transport: ['domain'],
  ui: ['domain'],
  pki: ['domain', 'files'],
  plan: ['domain', 'pki', 'render'],
  adopt: ['domain', 'inventory', 'pki'],
  commands: ['domain', 'inventory', 'render', 'pki', 'plan', 'adopt'],
  etcd: ['domain', 'transport'],
  observe: ['domain', 'transport', 'etcd'],
  apply: ['domain', 'plan', 'pki', 'render', 'transport', 'observe', 'etcd'],
  binaries: ['domain', 'files'],
  lab: ['domain', 'transport', 'files'],
};

/** Modules that decide: they see values only, and have neither clock, chance, files, network nor processes. */
const pure =
  '^src/(domain|inventory|render|plan|adopt|commands)/|^src/pki/(issue|authority-certificate|chain|verify-chain|renewal|name-constraints|inspect|inspect-extensions|drift|profile|names|der|extensions|addresses|certificate|public-key|csr|pkcs12|hash-chain|journal|revoked|crl|import-check|external|signing-request|document|snapshot)\\.ts$';

/** Files of pure folders that read or write for the rest. */
const impure = ['src/inventory/read.ts'];

const folders = Object.entries(allowed).map(([from, to]) => ({
  name: `${from}-sees-only`,
  comment: `${from} may import ${to.length === 0 ? 'nothing of the rest' : to.join(', ')}`,
  severity: 'error',
  from: { path: `^src/${from}/` },
  to: { path: '^src/', pathNot: `^src/(${[from, ...to].join('|')})/` },
}));

module.exports = {
  forbidden: [
    ...folders,
    {
      name: 'sees-pure-pki',
      comment: 'planners and verbs see issuing and inspecting, never the store',
      severity: 'error',
      from: { path: '^src/(plan|adopt|commands)/' },
      to: { path: '^src/pki/', pathNot: pure },
    },
    {
      name: 'nothing-sees-main',
      comment: 'the composition root sees everything; nothing sees it',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/main(/|\\.ts$)' },
      to: { path: '^src/main(/|\\.ts$)' },
    },
    {
      name: 'pure',
      comment: 'decisions have no effects',
      severity: 'error',
      from: { path: pure, pathNot: impure },
      to: {
        path: '^(node:)?(fs|fs/promises|net|tls|http|http2|https|dns|dns/promises|dgram|child_process|worker_threads|cluster|os)$|node_modules/(ssh2|undici|execa|listr2)/',
      },
    },
    {
      name: 'one-listr2',
      comment: 'listr2 only draws, in one file',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/ui/progress\\.ts$' },
      to: { path: 'node_modules/listr2/' },
    },
    { name: 'no-cycles', severity: 'error', from: { path: '^src/' }, to: { circular: true } },
    { name: 'resolvable', severity: 'error', from: { path: '^src/' }, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
