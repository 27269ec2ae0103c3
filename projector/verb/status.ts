import type { ProjectorOffset, Status } from '../status.ts';
import { aligned, count, visible } from './text.ts';
import type { Verb } from './verb.ts';

export const statusVerb: Verb = {
  name: 'status',
  description: 'how the live projection stands: how far it is, what is quarantined, what is open; reads Postgres alone',
  args: {},
  run: async (context) => {
    const { withDatabase } = await import('./database.ts');
    const { statusOf } = await import('../status.ts');
    const status = await withDatabase(context, statusOf);
    const isWell = status.quarantined.length === 0 && !status.drifted;
    return { exitCode: isWell ? 0 : 1, text: statusText(status), json: status };
  },
};

const LIVE_TEXT: { readonly [L in Status['live']]: string } = {
  whole: 'there',
  empty: 'empty: streams come by use, or all of them by `rebuild`',
  missing: 'missing: run `rebuild`',
  other: 'of another version or damaged: run `rebuild`',
};

const statusText = (status: Status): string => {
  const { live, version, previous, applied, offsets, lagReceipts, quarantined, redoOpen } = status;
  const head = aligned([
    ['projection', LIVE_TEXT[live]],
    ['version', `${version.live ?? 'unknown'}, and this program makes ${version.program}`],
    ['previous', previous === null ? 'none' : `projection_previous, version ${previous.version ?? 'unknown'}`],
    [
      'lag',
      lagReceipts === null ? 'unknown: the store was not counted yet' : `${count(lagReceipts, 'receipt')} of the last count`,
    ],
    ['redo', `${count(redoOpen, 'entry', 'entries')} open`],
  ]);
  const counts = applied.map(({ kind, streams, receipts }) => [
    `${kind} streams`,
    streams.toLocaleString('en-US'),
    `${count(receipts, 'receipt')} applied`,
  ]);
  const streams = quarantined.map(({ stream, code, position, since, foundBy }) => [
    'quarantined',
    visible(stream),
    position === null ? visible(code) : `${visible(code)} at position ${position.toLocaleString('en-US')}`,
    `since ${since}, last seen by ${foundBy}`,
  ]);
  const parts = [head, aligned(counts), aligned(offsets.map(offsetColumns)), aligned(streams), verdictOf(status)];
  return parts.filter((part) => part !== '').join('\n\n');
};

const offsetColumns = (offset: ProjectorOffset): readonly string[] => [
  `last ${offset.projector}`,
  offset.updatedAt,
  `${count(offset.receipts, 'receipt')} in ${count(offset.streams, 'stream')}`,
  `${count(offset.behindReceipts, 'receipt')} behind in ${count(offset.behindStreams, 'stream')}`,
  count(offset.differences, 'difference'),
];

const verdictOf = ({ quarantined, drifted }: Status): string => {
  const wrong = [
    ...(quarantined.length === 0 ? [] : [`${count(quarantined.length, 'stream')} quarantined`]),
    ...(drifted ? ['the projection is not known to be what the receipts give'] : []),
  ];
  return wrong.length === 0 ? 'status: all is well, as far as Postgres knows' : `status: ${wrong.join(', ')}`;
};
