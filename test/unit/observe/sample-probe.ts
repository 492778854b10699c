/** Probe answers put together from records, as the script prints them. */
import { readFileSync } from 'node:fs';
import { PROBE_BEGIN, PROBE_END } from '../../../src/observe/probe-body.ts';

type Record_ = readonly [key: string, value: string];

/** An answer that was recorded on a real host. */
export function recorded(name: string): string {
  return readFileSync(new URL(`../../fixtures/probe/${name}.txt`, import.meta.url), 'utf8');
}

/** The records of an answer, in order. */
export function recordsOf(output: string): Record_[] {
  return split(output).records;
}

/** What follows the records of an answer. */
export function textsOf(output: string): Buffer {
  return split(output).texts;
}

function split(output: string): { readonly records: Record_[]; readonly texts: Buffer } {
  const lines = output.split('\n');
  const bytes = Buffer.from(lines.slice(lines.indexOf(PROBE_BEGIN) + 1, lines.indexOf(PROBE_END)).join(''), 'base64');
  const records: Record_[] = [];
  for (let at = 0; at < bytes.length; ) {
    const header = bytes.indexOf(10, at);
    const [key = '', length = '0'] = bytes.toString('utf8', at, header).split(' ');
    const end = header + 1 + Number(length);
    records.push([key, bytes.toString('utf8', header + 1, end)]);
    at = end + 1;
    if (key === 'end') return { records, texts: bytes.subarray(at) };
  }
  throw new Error('no last record');
}

/** An answer of these records. */
export function answer(records: readonly Record_[], texts: Buffer): string {
  const framed = records.map(([key, value]) => `${key} ${Buffer.byteLength(value)}\n${value}\n`).join('');
  return [PROBE_BEGIN, Buffer.concat([Buffer.from(framed), texts]).toString('base64'), PROBE_END, ''].join('\n');
}

/** A recorded answer with some records changed; `undefined` takes a record out. */
export function changed(output: string, change: Readonly<Record<string, string | undefined>>): string {
  const records = recordsOf(output).flatMap(([key, value]): Record_[] => {
    if (!Object.hasOwn(change, key)) return [[key, value]];
    const other = change[key];
    return other === undefined ? [] : [[key, other]];
  });
  return answer(records, textsOf(output));
}
