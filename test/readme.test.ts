import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { permissions, whoSays } from '../src/access/permission.ts';
import { limits } from '../src/limits.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const section = (title: string): string => readme.split(`## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
const rows = section('Who may do what')
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );

describe('the README’s table of who may do what', () => {
  const table = rows.filter(([what = '']) => what.startsWith('**'));
  const line = (who: string): readonly string[] => table.find(([what = '']) => what.startsWith(`**${who}**`)) ?? [];

  it('has a line for each word of the table of permissions, in its order or not', () => {
    const told = table.map(([what = '']) => /^\*\*(\w+)\*\*/.exec(what)?.[1]);
    expect(told.sort()).toEqual(Object.keys(whoSays).sort());
    expect(new Set(Object.values(permissions).map(({ who }) => who))).toEqual(new Set(told));
  });

  it('lets nobody do what needs a session', () => {
    for (const [what = '', ...cells] of table)
      expect([what, cells.at(-1)]).toEqual([what, what.startsWith('**anyone**') ? 'yes' : expect.stringContaining('401')]);
  });

  it.each(['reader', 'signer', 'keeper', 'owner', 'leaver'])('shows to strangers of %s what is not there', (who) => {
    expect(line(who).slice(4, 7)).toEqual(['404', '404', '404']);
  });
});

describe('the README’s table of allowances', () => {
  it('says the limits there are', () => {
    const text = section('Who may do what');
    const { addressPerMinute, userPerMinute, freeAccountPerMinute, freeAccountBurstPoints, proAccountPerMinute } = limits;
    const said = [
      `| ${addressPerMinute.toLocaleString('en')} | ${userPerMinute} each`,
      `${freeAccountPerMinute} each, and ${freeAccountBurstPoints} more in 5 min`,
      `${proAccountPerMinute} each, and ${limits.proAccountBurstPoints} more in 5 min`,
      `| public pages | ${limits.addressPublicPerMinute} |`,
      `| sign-in | ${limits.addressSignInsPerMinute} |`,
      `| ${limits.addressClaimsPerMinute} | ${limits.userClaimsPerMinute} | as commands`,
    ];
    expect(said.filter((part) => !text.includes(part))).toEqual([]);
    expect(limits.accountBurstMs).toBe(5 * 60_000);
  });
});
