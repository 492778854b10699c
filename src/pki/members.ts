/** Issuing members' certificates from the store's authorities, in one go. */
import type { SubjectAltNames } from '../domain/controller.ts';
import { combineErrors, QuorateError } from '../domain/errors.ts';
import type { LeafPurpose } from '../domain/step.ts';
import { canonicalSans } from './addresses.ts';
import type { PkiContext } from './context.ts';
import { memberProfile } from './profile.ts';
import { readPublicKey } from './public-key.ts';
import { type LeafOrder, signAndRecord } from './signing.ts';
import { readDocument, requireUuid } from './state.ts';

/** One certificate for one of a member's keys. */
export interface MemberRequest {
  readonly member: string;
  readonly purpose: LeafPurpose;
  /** SPKI, PEM or DER, as the member showed it. */
  readonly publicKey: string | Uint8Array;
  /** The member's own; left out of client certificates. */
  readonly sans: SubjectAltNames;
  /** ID of the authority that was planned to sign it; undefined: the active one. */
  readonly authority?: string | undefined;
  readonly why: string;
}

export interface MemberCertificateIssued {
  readonly member: string;
  readonly purpose: LeafPurpose;
  /** The leaf, and behind it the cross certificate while that is served: the whole file. */
  readonly pem: string;
  /** Lower-case hex sha256 of the leaf's DER, as a TLS client can see it served. */
  readonly sha256: string;
  /** Epoch milliseconds. */
  readonly notAfter: number;
  /** Whether not after was cut to the authority's own end. */
  readonly cut: boolean;
}

/**
 * Issues for all requests, in their order. Each authority's key is opened once; all lines go into the journal in one swap, before anything is returned.
 * Throws `refused` for keys that do not fit the policy and names that can't be certified, all of them in one error, and for an authority that does not sign.
 */
export async function issueMembers(
  context: PkiContext,
  requests: readonly MemberRequest[],
): Promise<readonly MemberCertificateIssued[]> {
  const document = await readDocument(context.store);
  requireUuid(document, context.uuid, context.store);
  const orders = readOrders(context, requests);
  const leaves = await signAndRecord(context, document, orders);
  return leaves.map(({ order, leaf, chain }) => ({
    member: order.member,
    purpose: order.profile.purpose,
    pem: chain,
    sha256: leaf.sha256,
    notAfter: leaf.notAfter,
    cut: leaf.cut,
  }));
}

interface MemberOrder extends LeafOrder {
  readonly member: string;
}

/** Checks every request before any key is opened. */
function readOrders({ policy }: PkiContext, requests: readonly MemberRequest[]): readonly MemberOrder[] {
  const failures: QuorateError[] = [];
  const orders = requests.flatMap((request) => {
    const { member, purpose, authority, why } = request;
    try {
      const profile = memberProfile(purpose, { name: member, sans: canonicalSans(request.sans) }, policy);
      return [{ member, profile, authority, why, publicKey: readPublicKey(request.publicKey, policy.algorithm) }];
    } catch (error) {
      if (!(error instanceof QuorateError)) throw error;
      failures.push(atMember(error, request));
      return [];
    }
  });
  if (failures.length > 0) throw combineErrors(`${failures.length} certificates can't be issued`, failures);
  return orders;
}

function atMember(error: QuorateError, { member, purpose }: MemberRequest): QuorateError {
  const message = `${member}: ${purpose} certificate: ${error.message}`;
  return new QuorateError(error.code, message, { host: member, hint: error.hint, cause: error });
}
