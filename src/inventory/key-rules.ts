/** Rules for keys, checksums and where binaries come from. */
import { flaw, type ValueRule } from './value-rule.ts';

/** The key that a host must show: a fingerprint or the whole public key. */
export const hostKeyRule: ValueRule = {
  pattern: '(SHA256:[A-Za-z0-9+/]{43}|(ssh-(ed25519|rsa)|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+={0,2})',
  check: (text) =>
    new RegExp(`^${hostKeyRule.pattern}$`).test(text)
      ? undefined
      : flaw(
          'is no host key',
          'write SHA256:… or ssh-ed25519 AAAA… without a comment, as ssh-keyscan HOST | ssh-keygen -lf - prints it',
        ),
};

/** An https (or http) address of a mirror, without credentials (which is why it is never shown), query and fragment. */
export const urlRule: ValueRule = {
  secret: true,
  pattern: 'https?://[A-Za-z0-9.:\\[\\]-]+(/[A-Za-z0-9._~/%+-]*)?',
  check: (text) =>
    new RegExp(`^${urlRule.pattern}$`).test(text) && URL.canParse(text)
      ? undefined
      : flaw(
          'is no address of a mirror',
          'write http(s)://HOST/PATH without user, password, ? and #: https://mirror.example.org/etcd',
        ),
};

/** sha256 in hexadecimal. */
export const sha256Rule: ValueRule = {
  pattern: '[0-9a-fA-F]{64}',
  check: (text) =>
    /^[0-9a-fA-F]{64}$/.test(text) ? undefined : flaw('is no sha256', 'write the 64 hexadecimal digits of sha256sum'),
};

/** An age recipient (X25519, post-quantum or plugin). */
export const recipientRule: ValueRule = {
  pattern: 'age1[0-9a-z]{20,4000}',
  check: (text) => {
    if (/^AGE-SECRET-KEY-/i.test(text)) {
      return flaw('is a secret identity, not a recipient', 'write the age1… line of age-keygen -y FILE');
    }
    return /^age1[0-9a-z]{20,4000}$/.test(text)
      ? undefined
      : flaw('is no age recipient', 'write age1…, as age-keygen -y FILE prints it');
  },
  secret: true,
};

/** A length of time, or a share of a certificate's life. */
export const renewBeforeRule: ValueRule = {
  pattern: '([1-9][0-9]{0,5}[mhdw]|[1-9][0-9]?%)',
  check: (text) =>
    new RegExp(`^${renewBeforeRule.pattern}$`).test(text)
      ? undefined
      : flaw('is no length of time', 'write a number and m, h, d or w, or a share of the life: 30d, 33%'),
};

/** Organisation in certificates' subjects; X.520 allows 64 characters. */
export const organizationRule: ValueRule = {
  pattern: '[^\\u0000-\\u001f\\u007f]{0,64}',
  check: (text) =>
    /^[^\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]{0,64}$/u.test(text)
      ? undefined
      : flaw('cannot be an organisation', 'write one line of at most 64 characters'),
};
