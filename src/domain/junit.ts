/** Checks as JUnit XML, for CI systems. */
import type { Check } from './check.ts';

/** A document of one suite: warnings and critical checks are failures, told apart by their type; skipped ones are skipped. */
export function printJunit(cluster: string, checks: readonly Check[], at: number): string {
  const count = (wanted: (check: Check) => boolean): number => checks.filter(wanted).length;
  const totals = {
    tests: checks.length,
    failures: count(failed),
    errors: 0,
    skipped: count((each) => each.state === 'skipped'),
    time: 0,
  };
  const suite = { name: `quorate verify ${cluster}`, ...totals, timestamp: new Date(at).toISOString().slice(0, 19) };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name: 'quorate', ...totals })}>`,
    `  <testsuite${attributes(suite)}>`,
    ...checks.map((each) => testCase(cluster, each)),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function failed({ state }: Check): boolean {
  return state === 'warning' || state === 'critical';
}

function testCase(cluster: string, check: Check): string {
  const { id, title, state, seen, details } = check;
  const open = `    <testcase${attributes({ classname: `quorate.${cluster}`, name: `${id}: ${title}`, time: 0 })}`;
  if (state === 'ok') return `${open}><system-out>${escapeXml(seen)}</system-out></testcase>`;
  if (state === 'skipped') return `${open}><skipped${attributes({ message: details.join('; ') || seen })}/></testcase>`;
  return `${open}><failure${attributes({ type: state, message: seen })}>${escapeXml(details.join('\n'))}</failure></testcase>`;
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escapeXml(String(value)).replaceAll('\n', '&#10;')}"`)
    .join('');
}

/** XML 1.0, section 2.2: most control characters cannot stand in a document, not even escaped; nor can halves of surrogate pairs. */
function escapeXml(text: string): string {
  return text
    .replace(/(?![\t\n\r])\p{Cc}|[\ufffe\uffff]|\p{Cs}/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
