/** What a cluster's PKI must be like after any number of runs, interrupted or not. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { readJournal } from '../../src/pki/journal.ts';
import type { Stage } from './stage.ts';

const keysScript = `set -eu
cd /etc/etcd/pki
for each in server peer client; do
  [ "$(openssl x509 -in $each.crt -noout -pubkey)" = "$(openssl pkey -in $each.key -pubout)" ] || echo "$each.key is not that of $each.crt"
done
served() { openssl s_client -connect "$1" -CAfile "$2" </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256; }
[ "$(served 127.0.0.1:2379 ca.crt)" = "$(openssl x509 -in server.crt -noout -fingerprint -sha256)" ] || echo '2379 serves another'
[ "$(served "$1:2380" peer-ca.crt)" = "$(openssl x509 -in peer.crt -noout -fingerprint -sha256)" ] || echo '2380 serves another'
ls /etc/etcd/pki.d
`;

/** One authority for each purpose, a journal whose chain holds, and on every host served certificates that match their keys. */
export async function expectOnePki(stage: Stage): Promise<void> {
  const state = join(stage.folder, '.quorate', stage.cluster);
  const { uuid } = JSON.parse(await readFile(join(state, 'cluster.json'), 'utf8'));
  const journal = readJournal(await readFile(join(state, 'issued.jsonl'), 'utf8'), uuid);
  const authorities = journal.filter((each) => each.purpose === 'authority').map((each) => each.commonName);
  expect(authorities).toHaveLength(2);
  expect(new Set(authorities).size).toBe(2);
  expect(new Set(journal.map((each) => each.serial)).size).toBe(journal.length);
  const found = stage.lab.hosts.map((host) => host.sh(['sh', '-c', keysScript, 'sh', host.ipv4]));
  expect(await Promise.all(found)).toEqual(stage.lab.hosts.map(() => '1\n'));
}
