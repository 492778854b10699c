/** The script that prints a unit's journal as JSON records, and ends when its own stdin does. */
import { type JournalWish, logLevels } from '../domain/journal.ts';
import { quote } from '../domain/shell-quote.ts';

/** How far back lines of a level are looked for where no time is given: they may be rare. */
const SCANNED_LINES = 50_000;

/**
 * POSIX sh. Followed, the process would outlive a connection that ends while the journal is silent; so stdin is watched, which
 * sshd closes then.
 */
export function journalScript(unit: string, wish: JournalWish): string {
  const prepare = `fields=
journalctl --help 2>/dev/null | grep -q -e --output-fields &&
  fields=--output-fields=MESSAGE,PRIORITY,SYSLOG_IDENTIFIER`;
  const read = `journalctl -u ${quote(unit)} -o json --all --no-pager -q $fields${since(wish)}`;
  if (!wish.follow) return `${prepare}\n${read}${finite(wish)}\n`;
  return `${prepare}
exec 3<&0
${read}${wish.lines === undefined ? '' : ` -n ${wish.lines}`} -f </dev/null 3<&- &
journal=$!
{ while read -r each <&3; do :; done; kill "$journal"; } >/dev/null 2>&1 &
watcher=$!
wait "$journal"
status=$?
kill "$watcher" 2>/dev/null
exit $status
`;
}

function since({ since: from }: JournalWish): string {
  if (from === undefined) return '';
  const when = 'at' in from ? `@${Math.floor(from.at / 1000)}` : `-${Math.ceil(from.agoMs / 1000)}s`;
  return ` --since=${quote(when)}`;
}

function finite(wish: JournalWish): string {
  const { lines, level } = wish;
  if (level === 'debug') return lines === undefined ? '' : ` -n ${lines}`;
  const scanned = wish.since === undefined ? ` -n ${SCANNED_LINES}` : '';
  return `${scanned} | ${atLeast(wish)}${lines === undefined ? '' : ` | tail -n ${lines}`}`;
}

/** Drops what says of itself that it is less; the rest is for the reader to judge, who understands more forms. */
function atLeast({ level, also }: JournalWish): string {
  const less = logLevels.slice(0, logLevels.indexOf(level));
  const letters = { debug: 'DT', info: 'IN', warn: 'W', error: 'E', fatal: 'C' } as const;
  const capnslog = less.map((each) => letters[each]).join('');
  const commands = [
    ...also.map((each) => `/${each}/{p;d;}`),
    ...less.map((each) => `/"MESSAGE" *: *"{\\\\"level\\\\":\\\\"${each}\\\\"/d`),
    `/"MESSAGE" *: *"[0-9: .-]* [${capnslog}] | /d`,
    'p',
  ];
  return `sed -n ${commands.map((each) => `-e ${quote(each)}`).join(' ')}`;
}
