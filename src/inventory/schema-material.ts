/** The shape of `pki:` and `binaries:`: what certificates and etcd itself are made of. */
import * as z from 'zod/mini';
import { choice, fieldNotes, flag, integer, section, text } from './fields.ts';
import { organizationRule, recipientRule, renewBeforeRule, sha256Rule, urlRule } from './key-rules.ts';
import { existingDirRule, operatorPathRule } from './path-rules.ts';

export const pkiSchema = section(
  {
    authorities: z.optional(
      choice(['separate', 'single'], 'separate: one CA for clients and servers, one for peers. Default: separate.'),
    ),
    external: z.optional(
      z
        .array(choice(['client', 'peer', 'both'], 'client, peer; or both with authorities: single.'))
        .register(fieldNotes, {
          about:
            'Authorities whose key is elsewhere (Vault, step-ca, a person): quorate makes signing requests and takes in what comes back. Default: none.',
        }),
    ),
    algorithm: z.optional(
      choice(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'rsa-3072', 'rsa-4096'], 'Of every key. Default: ecdsa-p256.'),
    ),
    caLifetimeDays: z.optional(integer(1, 36500, 'Default: 3650.')),
    leafLifetimeDays: z.optional(integer(1, 36500, 'Default: 365.')),
    backdateMinutes: z.optional(
      integer(0, 1440, 'Validity begins this much earlier, for clocks that lag. Default: 5.'),
    ),
    renewBefore: z.optional(
      text(
        renewBeforeRule,
        'Leaves with less time left are renewed: 30d, 12h, or a share of their life: 33%. Default: a third.',
      ),
    ),
    nameConstraints: z.optional(
      flag('Whether authorities are limited to the names and addresses of this inventory. Default: false.'),
    ),
    organization: z.optional(text(organizationRule, 'Subject organisation. Default: none.')),
    recipients: z.optional(
      z.array(text(recipientRule, 'age1… recipient.')).register(fieldNotes, {
        about: 'Who else can open the private keys in the state folder, as age recipients.',
      }),
    ),
    identityFile: z.optional(
      text(operatorPathRule, 'age identity that opens the state folder. Default: the operator’s own.'),
    ),
  },
  'What certificates look like, and who can open the CA’s key.',
);

const checksum = z.optional(text(sha256Rule, 'sha256 of the release tarball.'));
const sha256 = z.optional(
  section(
    { amd64: checksum, arm64: checksum, ppc64le: checksum, s390x: checksum },
    'sha256 of the release tarball, by architecture. Default: SHA256SUMS at first use, then quorate.lock.yml.',
  ),
);
const via = z.optional(
  choice(['operator', 'host'], 'Who downloads: quorate, which pushes, or each host by curl. Default: operator.'),
);
const source = <const Word extends string>(word: Word) => z.literal(word);

export const binariesSchema = z
  .discriminatedUnion('source', [
    section({ source: source('release'), via, sha256 }, 'The official releases.'),
    section(
      {
        source: source('mirror'),
        url: text(urlRule, 'Address above the folders vVERSION, laid out like the official releases.'),
        via,
        sha256,
      },
      'A mirror with the layout of the official releases.',
    ),
    section(
      {
        source: source('file'),
        path: text(operatorPathRule, 'Release tarball, or folder with the binaries, on the operator’s machine.'),
        sha256,
      },
      'From the operator’s machine: air-gapped.',
    ),
    section(
      {
        source: source('system'),
        directory: z.optional(text(existingDirRule, 'Folder on the hosts. Default: /usr/bin.')),
      },
      'Already on the hosts.',
    ),
  ])
  .register(fieldNotes, { about: 'Where etcd’s binaries come from. Default: the official releases.' });
