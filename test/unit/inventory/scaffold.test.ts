import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QuorateError } from '../../../src/domain/errors.ts';
import { judgeVersion } from '../../../src/domain/hazards.ts';
import { resolveCluster } from '../../../src/inventory/resolve.ts';
import { type ScaffoldHost, scaffoldInventory } from '../../../src/inventory/scaffold.ts';
import { complaintsAbout, parse } from './samples.ts';

const name = fc.oneof(
  fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/),
  fc.constantFrom('no', 'on', 'y', '0123', '1e3', 'null', 'true'),
);
const user = fc.option(fc.stringMatching(/^[A-Za-z_][A-Za-z0-9._@-]{0,20}$/), { nil: undefined });
const port = fc.option(fc.integer({ min: 1, max: 65535 }), { nil: undefined });

const hosts = fc.uniqueArray(
  fc.record({ name, user, port, last: fc.integer({ min: 1, max: 254 }), v6: fc.boolean() }),
  {
    minLength: 1,
    maxLength: 9,
    selector: (host) => host.last,
  },
);

describe('scaffoldInventory', () => {
  it('writes what parseInventory and resolveCluster read back, whatever the names', () => {
    fc.assert(
      fc.property(hosts, name, (drafts, cluster) => {
        const named = drafts.map((draft, index) => ({
          ...draft,
          name: `${draft.name}${index === 0 ? '' : `-${index}`}`,
        }));
        const given = named.filter((each) => each.name !== 'operator').map(toHost);
        if (given.length === 0 || cluster === 'operator') return;
        const { controllers, name: read } = resolveCluster(parse(scaffoldInventory({ cluster, hosts: given })));
        const back = controllers.map((each) => ({
          name: each.name,
          host: each.ssh.address,
          user: each.ssh.user,
          port: each.ssh.port,
        }));
        const sorted = given.toSorted((left, right) => (left.name < right.name ? -1 : 1));
        expect({ read, back }).toEqual({
          read: cluster,
          back: sorted.map((each) => ({
            name: each.name,
            host: each.host,
            user: each.user ?? 'root',
            port: each.port ?? 22,
          })),
        });
      }),
    );
  });

  it('writes the common user once, and private addresses where they differ', () => {
    const text = scaffoldInventory({
      cluster: 'prod',
      hosts: [
        { name: 'c1', host: 'c1.example.org', user: 'ops', port: 2222, privateAddress: '10.0.0.1' },
        { name: 'c2', host: '10.0.0.2', user: 'ops', port: 2222, privateAddress: '10.0.0.2' },
        { name: 'c3', host: 'fd00::3', user: undefined, port: undefined },
      ],
    });
    expect(text.split('\n').filter((line) => !/^\s*(#|$)/.test(line))).toEqual([
      'apiVersion: quorate/v1',
      'cluster:',
      '  name: prod',
      '  version: 3.6.16',
      'ssh:',
      '  user: ops',
      '  port: 2222',
      '  sudo: passwordless',
      'controllers:',
      '  c1:',
      '    address: c1.example.org',
      '    privateAddress: 10.0.0.1 # etcd listens here, and the members dial it',
      '  c2:',
      '    address: 10.0.0.2',
      '  c3:',
      '    address: "fd00::3"',
      '    ssh: {user: root, port: 22}',
    ]);
    expect(complaintsAbout(text)).toEqual([]);
  });

  it('leaves the private address of a DNS name to the operator', () => {
    const text = scaffoldInventory({
      cluster: 'x',
      hosts: [{ name: 'a', host: 'a.example.org', user: undefined, port: undefined }],
    });
    expect(text).toContain('    # privateAddress: 10.0.0.1');
    expect(complaintsAbout(text)).toHaveLength(1);
    expect(complaintsAbout(text.replace('# privateAddress', 'privateAddress'))).toEqual([]);
  });

  it('proposes a release that nothing is known against', () => {
    expect(judgeVersion('3.6.16', []).refused).toEqual([]);
  });

  it.each<Partial<ScaffoldHost>>([{ name: 'A b' }, { host: 'x y' }, { user: '$(id)' }, { privateAddress: 'a.b' }])(
    'refuses %j',
    (bad) => {
      const host = { name: 'a', host: '10.0.0.1', user: 'root', port: 22, ...bad };
      expect(() => scaffoldInventory({ cluster: 'x', hosts: [host] })).toThrow(QuorateError);
    },
  );
});

function toHost({
  last,
  v6,
  ...rest
}: {
  name: string;
  user: string | undefined;
  port: number | undefined;
  last: number;
  v6: boolean;
}): ScaffoldHost {
  return { ...rest, host: v6 ? `fd00::${last.toString(16)}` : `10.0.0.${last}` };
}
