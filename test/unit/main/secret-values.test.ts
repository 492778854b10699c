import { expect, it } from 'vitest';
import { parseInventory } from '../../../src/inventory/load.ts';
import { resolveCluster } from '../../../src/inventory/resolve.ts';
import { secretValues } from '../../../src/main/secret-values.ts';

const text = `
apiVersion: quorate/v1
cluster: { name: one, version: 3.6.16 }
ssh:
  user: ops
  passphraseEnv: KEY_PHRASE
  sudo: { passwordEnv: SUDO_WORD }
  bastion: { address: 10.0.0.1, passwordEnv: BASTION_WORD }
controllers:
  etcd-1: { address: 10.0.0.11, ssh: { passwordEnv: LOGIN_WORD } }
`;

it('knows every secret that the environment holds for a cluster, bastions included', () => {
  const source = { fileName: 'quorate.yml', env: {}, directory: '/folder', home: '/home/ops' };
  const cluster = resolveCluster(parseInventory(text, source));
  const env = {
    KEY_PHRASE: 'phrase-1',
    SUDO_WORD: 'word-2',
    BASTION_WORD: 'word-3',
    LOGIN_WORD: 'word-4',
    QUORATE_IDENTITY: 'identity-5',
    OTHER: 'not-asked-for',
  };
  expect([...secretValues(cluster, env)].sort()).toEqual(['identity-5', 'phrase-1', 'word-2', 'word-3', 'word-4']);
  expect(secretValues(cluster, {})).toEqual([]);
});
