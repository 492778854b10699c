/** Whatever the text: a valid inventory or a QuorateError `inventory`, never another error, and no secret in it. */
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { stringify } from 'yaml';
import { resolveCluster } from '../../../src/inventory/resolve.ts';
import { inventorySchema } from '../../../src/inventory/schema.ts';
import { complaintsAbout, inventoryText, parse } from './samples.ts';

const keys = [
  ...Object.keys(inventorySchema.shape),
  'name',
  'version',
  'address',
  'user',
  'port',
  'bastion',
  '<<',
  '__proto__',
];
const word = fc.oneof(
  fc.constantFrom(...keys),
  fc.constantFrom(
    `\${A}`,
    `\${A:-b}`,
    '$',
    '../x',
    '$(id)',
    '`id`',
    'a\nb',
    '3.6.16',
    '10.0.0.1',
    'quorate/v1',
    '0x1f',
    '1_0',
    'yes',
    '\u202e',
  ),
  fc.string(),
);
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    word,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(word, tie('tree'), { maxKeys: 6 }),
  ),
}));
const marks = fc.string({ unit: fc.constantFrom(...'[]{}-?:,&*!|>#%@`"\'\n\t a1$<~.') });

describe('parseInventory', () => {
  it('throws inventory errors only, on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => void complaintsAbout(new TextDecoder().decode(bytes))),
    );
  });

  it('throws inventory errors only, on any YAML marks', () => {
    fc.assert(
      fc.property(marks, fc.string(), (text, tail) => void complaintsAbout(text + tail)),
      { numRuns: 300 },
    );
  });

  it('throws inventory errors only, on any YAML tree', () => {
    fc.assert(
      fc.property(tree, (value) => void complaintsAbout(stringify(value), { A: 'x' })),
      { numRuns: 300 },
    );
  });

  it('throws inventory errors only, on any value of any section', () => {
    const section = fc.constantFrom(...Object.keys(inventorySchema.shape));
    fc.assert(
      fc.property(section, tree, (key, value) => {
        const text = inventoryText({ [key]: JSON.stringify(value) });
        if (complaintsAbout(text, { A: 'x' }).length === 0) resolveCluster(parse(text, { A: 'x' }));
      }),
      { numRuns: 300 },
    );
  });

  it('lets no text through that a shell, systemd or a path would read', () => {
    const hostile = fc.string({ unit: fc.constantFrom(...'a/.-%:;|&<>"\'\\`$ \n\t*?()~!{}'), minLength: 1 });
    fc.assert(
      fc.property(hostile, fc.constantFrom('configDir', 'dataDir', 'walDir', 'libDir', 'binDir'), (text, key) => {
        const inventory = inventoryText({ paths: JSON.stringify({ [key]: text.replaceAll('$', '$$$$') }) });
        if (complaintsAbout(inventory).length > 0) return true;
        return /^(\/[a-z0-9_+@.-]+)+$/i.test(text) && !text.split('/').includes('..');
      }),
      { numRuns: 300 },
    );
  });
});
