/** docs/acceptance-checks.md names tests: every one of them must exist, and every number be there. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const page = readFileSync('docs/acceptance-checks.md', 'utf8');
const rows = [...page.matchAll(/^\| (\d+) \| .+ \| `(.+)` \| (.+) \|$/gm)].map(([, number, file, title]) => {
  return { number: Number(number), file: file ?? '', title: title ?? '' };
});

describe('the acceptance checks', () => {
  it.each(rows)('$number is shown by a test that exists', ({ file, title }) => {
    expect(readFileSync(`test/${file}`, 'utf8')).toContain(title);
  });

  it('are all there', () => {
    const named = new Set(rows.map((each) => each.number));
    const missing = Array.from({ length: 25 }, (_, index) => index + 1).filter((each) => !named.has(each));
    expect(missing).toEqual([]);
  });
});
