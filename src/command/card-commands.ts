import { OPERATOR_ACCOUNT_ID } from '../receipt/ids.ts';
import { err, ok } from '../result.ts';
import { noConcerns } from '../stream/pixbook/concerns.ts';
import { type AppendParts, append } from './append.ts';
import type { Collections } from './collections.ts';
import type { LedgerCommands } from './ledger-commands.ts';
import { inBookOf, mayIssueInto } from './pack-commands.ts';
import { pixbookIntent } from './pixbook-intent.ts';

/** Corrections and grants by issuers (domain rule 3). */
export const cardCommands = (parts: AppendParts, collections: Collections): Pick<LedgerCommands, 'addCards' | 'removeCards'> => ({
  addCards: (context, book, { identityId, cardIds, reason }) =>
    append(
      parts,
      pixbookIntent(inBookOf(context, identityId, book), {
        book,
        actor: { accountId: OPERATOR_ACCOUNT_ID, identityId },
        authorise: (view) => mayIssueInto(context, view),
        asked: { type: 'CARD_ADDED', payload: { cards: [...cardIds], reason } },
        concerns: noConcerns,
        command: async ({ state }) => {
          if (state.status === 'absent') return err({ code: 'pixbook-missing', detail: 'there is no such pixbook' });
          const seen = await collections.of(state.collectionId);
          return seen.ok ? ok({ type: 'add-cards', cardIds, reason, collection: seen.value.state }) : seen;
        },
      }),
    ),
  removeCards: (context, book, { identityId, instanceIds, reason }) =>
    append(
      parts,
      pixbookIntent(inBookOf(context, identityId, book), {
        book,
        actor: { accountId: OPERATOR_ACCOUNT_ID, identityId },
        authorise: (view) => mayIssueInto(context, view),
        asked: { type: 'CARD_REMOVED', payload: { instanceIds: [...instanceIds], reason } },
        command: { type: 'remove-cards', instanceIds, reason },
      }),
    ),
});
