import { invitationIdFor } from '../../src/receipt/ids.ts';
import type { Deed } from './deed.ts';
import { newBook, newCollector, newFamily } from './family.ts';
import { type Neighbourhood, does, newcomer } from './neighbourhood.ts';
import { savePage } from './page.ts';

/** What befalls accounts, their members and identities. */

const family = (here: Neighbourhood) => here.chance.oneOf(here.families);

export const familyDeeds: readonly Deed[] = [
  {
    name: 'a grandparent looks in, may do more, and goes',
    ...{ weight: 1, atMost: 3 },
    play: async (here) => {
      const { accountId, owner } = family(here);
      const { commands } = here;
      const userId = newcomer(here);
      await does(here, owner, (context) => commands.addMember(context, accountId, { userId, role: 'viewer' }));
      if (here.chance.happens(0.5) && here.name !== '0') return true;
      await does(here, owner, (context) => commands.changeMemberRole(context, accountId, { userId, role: 'member' }));
      await does(here, owner, (context) => commands.removeMember(context, accountId, userId));
      return true;
    },
  },
  {
    name: 'one invitation is accepted, another withdrawn',
    ...{ weight: 1, atMost: 4 },
    play: async (here) => {
      const { accountId, owner } = family(here);
      const { commands } = here;
      const invites = async () =>
        invitationIdFor(
          accountId,
          (await does(here, owner, (context) => commands.inviteMember(context, accountId, 'member'))).key,
        );
      const [taken, regretted] = [await invites(), await invites()];
      await does(here, newcomer(here), (context) => commands.acceptInvitation(context, accountId, taken));
      await does(here, owner, (context) => commands.withdrawInvitation(context, accountId, regretted));
      return true;
    },
  },
  {
    name: 'a family changes its plan',
    ...{ weight: 1, atMost: 1 },
    play: async (here) => {
      const chosen = family(here);
      chosen.plan = chosen.plan === 'free' ? 'pro' : 'free';
      const { accountId, plan } = chosen;
      await does(here, here.market.operator, (context) => here.commands.changePlan(context, accountId, plan));
      return true;
    },
  },
  {
    name: 'an account is suspended for a while',
    ...{ weight: 0.3, atMost: 2 },
    play: async (here) => {
      const { accountId } = family(here);
      const { commands, market } = here;
      const reason = 'a payment that was taken back';
      await does(here, market.operator, (context) => commands.suspendAccount(context, accountId, reason));
      await does(here, market.operator, (context) => commands.resumeAccount(context, accountId));
      return true;
    },
  },
  {
    name: 'a collector has a new key',
    ...{ weight: 2, atMost: 1 },
    play: async (here) => {
      const { accountId, identityId, signer } = here.chance.oneOf(here.books);
      await does(here, signer, (context) => here.commands.rotateKey(context, accountId, identityId));
      return true;
    },
  },
  {
    name: 'a collector comes, tries it and is revoked',
    ...{ weight: 0.7, atMost: 4 },
    play: async (here) => {
      const { market, commands, chance } = here;
      const [book] = await newCollector(here, family(here), [chance.oneOf(market.collections)]);
      if (book === undefined) return false;
      await savePage(here, book);
      const { accountId, identityId, signer } = book;
      await does(here, signer, (context) => commands.revokeIdentity(context, accountId, identityId));
      return true;
    },
  },
  {
    name: 'a family tries it and closes its account',
    ...{ weight: 0.3, atMost: 5 },
    play: async (here) => {
      const guests = await newFamily(here);
      const [book] = await newCollector(here, guests, [here.chance.oneOf(here.market.collections)]);
      if (book === undefined) return false;
      await savePage(here, book);
      await does(here, guests.owner, (context) => here.commands.closeAccount(context, guests.accountId));
      return true;
    },
  },
  {
    name: 'a book is closed and a new one begun',
    ...{ weight: 0.7, atMost: 2 },
    play: async (here) => {
      const ended = here.books.filter(({ standing }) => !standing);
      if (ended.length === 0) return false;
      const book = here.chance.oneOf(ended);
      await does(here, book.signer, (context) => here.commands.closePixbook(context, book));
      here.books[here.books.indexOf(book)] = await newBook(here, book);
      return true;
    },
  },
];
