/** The operator's steps around authorities that sign elsewhere, and the signing of requests by the keys on the hosts. */
import { QuorateError } from '../domain/errors.ts';
import { quote } from '../domain/shell-quote.ts';
import { OPERATOR, type Step } from '../domain/step.ts';
import { prepareAdminKey } from '../pki/admin.ts';
import type { PkiContext } from '../pki/context.ts';
import { installExternal, type Returned } from '../pki/external.ts';
import { importAuthority } from '../pki/import.ts';
import { checkAuthority } from '../pki/import-check.ts';
import { adminProfile, memberProfile } from '../pki/profile.ts';
import { keyAlgorithms, readPublicKey, spkiAlgorithm } from '../pki/public-key.ts';
import type { KeySigning } from '../pki/signing-request.ts';
import type { View } from '../plan/view.ts';
import type { Connection } from '../transport/transport.ts';

/** Steps that {@link performExternal} performs. */
export type ExternalStep = Step<'authority.import' | 'certificate.accept' | 'admin.key'>;

/** Performs one of them. @throws QuorateError refused, or stale-plan where the store is not as it was planned for */
export async function performExternal(step: ExternalStep, view: View, context: PkiContext): Promise<void> {
  switch (step.kind) {
    case 'authority.import':
      return takeIn(step, context);
    case 'certificate.accept':
      return installExternal(
        context,
        step.certificates.map((each) => returnedOf(each, view)),
      );
    case 'admin.key':
      return prepareAdminKey(context);
  }
}

async function takeIn({ authority, certificate, chain, why }: Step<'authority.import'>, context: PkiContext) {
  const { leafLifetimeDays } = context.policy;
  const accepted = checkAuthority({ certificate, chain, key: undefined }, { now: context.now(), leafLifetimeDays });
  const purpose = (['client', 'peer', 'both'] as const).find((each) => authority.startsWith(`${each}-`));
  if (purpose === undefined) throw new Error(`${authority} names no authority`);
  const made = await importAuthority(context, { purpose, accepted, why });
  if (made.id === authority) return;
  throw new QuorateError('stale-plan', `the authority became ${made.id}, and the plan names ${authority}`, {
    hint: 'run the same command again',
  });
}

function returnedOf(each: Step<'certificate.accept'>['certificates'][number], { cluster }: View): Returned {
  const { holder, purpose, authority, certificate } = each;
  const controller = cluster.controllers.find(({ name }) => name === holder);
  if (controller === undefined && holder !== OPERATOR) throw new Error(`${holder} is no controller`);
  const profile =
    controller === undefined ? adminProfile(cluster.pki) : memberProfile(purpose, controller, cluster.pki);
  const der = Buffer.from(each.publicKey, 'base64');
  const algorithm = keyAlgorithms.find((known) => known === spkiAlgorithm(der)) ?? cluster.pki.algorithm;
  const publicKey = readPublicKey(der, algorithm);
  return { pem: certificate, profile, publicKey, authority, what: `${holder}: ${purpose} certificate` };
}

const SIGN_TIMEOUT_MS = 60_000;
/** Exit status of a host that cannot sign. */
const NO_OPENSSL = 77;

/**
 * Signs each text with its key on the host: the key never leaves it. In the order given.
 * @throws QuorateError refused where the host has no openssl; step-failed
 */
export async function signOnHost(connection: Connection, texts: readonly KeySigning[]): Promise<readonly Uint8Array[]> {
  const { host } = connection;
  const script = signScript(texts);
  const label = 'signing requests';
  const { status, stdout, stderr } = await connection.run(
    { script, root: true, label },
    { timeoutMs: SIGN_TIMEOUT_MS },
  );
  if (status === NO_OPENSSL) {
    throw new QuorateError('refused', `${host}: has no openssl, and nothing else there can sign a request`, {
      host,
      hint: 'install it on that host (apt-get install openssl, dnf install openssl), then run the same command again',
    });
  }
  const signatures = stdout
    .trim()
    .split('\n')
    .map((line) => Buffer.from(line.trim(), 'base64'));
  if (status === 0 && signatures.length === texts.length && signatures.every((each) => each.length > 0))
    return signatures;
  throw new QuorateError(
    'step-failed',
    `${host}: signing requests failed: ${stderr.trim() || `exit status ${status}`}`,
    { host },
  );
}

function signScript(texts: readonly KeySigning[]): string {
  const calls = texts.map(({ keyFile, data, hash }) => {
    const text = Buffer.from(data).toString('base64');
    return `printf %s ${quote(text)} | base64 -d | openssl dgst -${hash} -sign ${quote(keyFile)} | base64 -w0; echo`;
  });
  return `command -v openssl >/dev/null 2>&1 || exit ${NO_OPENSSL}\n${calls.join('\n')}\n`;
}
