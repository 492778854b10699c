/** Takes credentials that nobody here knows out of files that others wrote: told by the names of settings and by the shape of URLs. Pure. */

const MASK = '<redacted>';

/** Words in names of settings whose values are for nobody else: `DB_PASSWORD=…`, `--token …`, `secret_key: …`. */
const words =
  'passw(?:or)?d|passphrase|passwd|secret|token|credential|authorization|bearer|api[-_]?key|access[-_]?key|private[-_]?key|[-_]pass(?![a-z])|pwd';

/**
 * From the end of such a name to the end of its line, and of the lines that a backslash at the end adds: what is quoted may hold blanks. Every repetition has
 * a limit, so that time grows with the text's length alone.
 */
const setting = new RegExp(
  `((?:${words})[\\w.-]{0,64}["']?(?:[ \\t]{0,16}[=:]|[ \\t]{1,16}))(?:[^\\n\\\\]|\\\\[^]){1,}`,
  'gi',
);

/** RFC 3986, section 3.2.1. */
const userinfo = /:\/\/[^\s/@"'?#]{1,512}@/g;

/** A file without values of settings that are named like secrets, and without user and password in URLs. Too much may be gone, never too little. */
export function withoutCredentials(text: string): string {
  return withoutUserinfo(text).replace(setting, `$1${MASK}`);
}

/** Text without user and password in URLs. */
export function withoutUserinfo(text: string): string {
  return text.replace(userinfo, `://${MASK}@`);
}
