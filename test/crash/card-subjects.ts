import { type Deed, accepts, annas, cancels, claims, declines, expires, issues, redoes } from './card-deeds.ts';
import { type Stage, nextVersion } from './card-world.ts';

/** Who else is at work. The rival's whole deed runs just before the call that fails. */
export type CardRival = {
  readonly name: string;
  readonly deed: Deed;
  readonly key: string;
  /** On a Postgres of its own. */
  readonly elsewhere: boolean;
  /** What the subject may be told when the rival came first. */
  readonly refusals: readonly string[];
};

/** Something that is done in several receipts, or with several dependencies, and must come out whole. */
export type CardSubject = {
  readonly name: string;
  readonly stage: Stage;
  readonly deed: Deed;
  readonly rivals: readonly (CardRival | null)[];
  /** What it may be told on its own account: after a restart the worker may come first. */
  readonly refusals?: readonly string[];
};

export const SUBJECT_KEY = 'subject';
const RIVAL_KEY = 'rival';

const rival = (name: string, deed: Deed, ...refusals: readonly string[]): CardRival => ({
  ...{ name, deed, key: RIVAL_KEY, elsewhere: false, refusals },
});

/** Nobody; the same key, from another process; another key; and that on a second Postgres. */
const everyday = (deed: Deed, ...refusals: readonly string[]): readonly (CardRival | null)[] => [
  null,
  { ...rival('a rival with the same key', deed), key: SUBJECT_KEY },
  rival('a rival with another key', deed, ...refusals),
  { ...rival('a rival on a second Postgres', deed, ...refusals), elsewhere: true },
];

const acceptance = (trade: 'swap' | 'gift'): CardSubject => ({
  name: `an accepted ${trade}`,
  stage: 'offered',
  deed: accepts(trade),
  rivals: [
    ...everyday(accepts(trade), 'trade-reserved'),
    rival('a cancellation', cancels(trade), 'trade-cancelled'),
    rival('a refusal', declines(trade), 'trade-declined'),
    rival('an expiry', expires(trade), 'trade-expired'),
    { ...rival('a cancellation on a second Postgres', cancels(trade), 'trade-cancelled'), elsewhere: true },
  ],
});

/** What ends an offer while its reservation is open. */
const ending = (name: string, deed: Deed, code: string): CardSubject => ({
  name: `${name} after a reservation`,
  stage: 'reserved',
  deed,
  rivals: [
    ...everyday(deed, code),
    rival('a worker that completes it', redoes('complete-trade'), 'trade-accepted'),
    { ...rival('the accepter who comes back', accepts('swap'), 'trade-accepted'), key: 'accept-swap' },
    rival('a cancellation', cancels('swap'), 'trade-cancelled'),
    rival('a refusal', declines('swap'), 'trade-declined'),
    rival('an expiry', expires('swap'), 'trade-expired'),
  ],
  refusals: ['trade-accepted'],
});

const pack = annas((commands, { anna, dropId }, context) => commands.issuePack(context, anna, { dropId, identityId: null }));
const packFromIssuer = issues((commands, { anna, dropId, identityId }, context) =>
  commands.issuePack(context, anna, { dropId, identityId }),
);
const closing = issues((commands, { identityId, collectionId, dropId }, context) =>
  commands.closeDrop(context, { identityId, collectionId, dropId }),
);
const opening = issues((commands, { identityId, collectionId }, context) =>
  commands.openDrop(context, { identityId, collectionId, title: 'Week 2', packSize: 2 }),
);
const publishing = (title: string): Deed =>
  issues((commands, { identityId, collectionId }, context) =>
    commands.publishCollection(context, { identityId, collectionId, catalogue: { ...nextVersion, title } }),
  );
const firstPublishing = issues((commands, { identityId }, context) =>
  commands.publishCollection(context, { identityId, collectionId: null, catalogue: { ...nextVersion, version: 1 } }),
);
const adding = issues((commands, { anna, identityId }, context) => {
  const cardIds = nextVersion.cards.slice(0, 2).map(({ cardId }) => cardId);
  return commands.addCards(context, anna, { identityId, cardIds, reason: 'a prize' });
});
const removing = issues((commands, { anna, identityId, annas: copies }, context) =>
  commands.removeCards(context, anna, { identityId, instanceIds: copies.slice(3), reason: 'a misprint' }),
);
const offering = annas((commands, { anna, bruno, annas: copies, expiresAt }, context) => {
  const want = { instanceIds: [], cardIds: [] };
  return commands.offerTrade(context, anna, { to: bruno, give: copies.slice(3), want, expiresAt });
});
const revoking = issues((commands, { identityId, codeId }, context) => commands.revokeCode(context, { identityId, codeId }));

export const cardSubjects: readonly CardSubject[] = [
  {
    name: 'a claimed code',
    stage: 'offered',
    deed: claims('bruno'),
    rivals: [
      ...everyday(claims('bruno')),
      rival('another claimant', claims('carla'), 'code-claimed'),
      { ...rival('another claimant on a second Postgres', claims('carla'), 'code-claimed'), elsewhere: true },
      rival('a revocation', revoking, 'code-revoked'),
    ],
  },
  {
    name: 'a revoked code',
    stage: 'offered',
    deed: revoking,
    rivals: [...everyday(revoking, 'code-revoked'), rival('a claimant', claims('bruno'), 'code-claimed')],
  },
  {
    name: 'the pack of a claim that was left alone',
    stage: 'claimed',
    deed: redoes('issue-code-pack'),
    rivals: [
      ...everyday(redoes('issue-code-pack')),
      { ...rival('the claimant who comes back', claims('bruno')), key: 'claim' },
      rival('the claimant with another key', claims('bruno')),
    ],
  },
  acceptance('swap'),
  acceptance('gift'),
  {
    name: 'the end of a trade that was left alone',
    stage: 'reserved',
    deed: redoes('complete-trade'),
    rivals: [
      ...everyday(redoes('complete-trade')),
      { ...rival('the accepter who comes back', accepts('swap')), key: 'accept-swap' },
      rival('a cancellation', cancels('swap')),
      rival('a refusal', declines('swap')),
      rival('an expiry', expires('swap')),
    ],
  },
  ending('a cancellation', cancels('swap'), 'trade-cancelled'),
  ending('a refusal', declines('swap'), 'trade-declined'),
  ending('an expiry', expires('swap'), 'trade-expired'),
  {
    name: 'the pack of a drop',
    stage: 'offered',
    deed: pack,
    rivals: [
      ...everyday(pack, 'pack-issued'),
      rival('an issuer', packFromIssuer, 'pack-issued'),
      rival('the end of the drop', closing, 'drop-closed'),
    ],
  },
  { name: 'a new collection', stage: 'offered', deed: firstPublishing, rivals: everyday(firstPublishing) },
  {
    name: 'a new version',
    stage: 'offered',
    deed: publishing('Next'),
    rivals: [...everyday(publishing('Next')), rival('another version', publishing('Other'), 'version-published')],
  },
  { name: 'an opened drop', stage: 'offered', deed: opening, rivals: everyday(opening) },
  {
    name: 'a closed drop',
    stage: 'offered',
    deed: closing,
    rivals: [...everyday(closing, 'drop-closed'), rival('a pack', pack)],
  },
  { name: 'added cards', stage: 'offered', deed: adding, rivals: everyday(adding) },
  {
    name: 'removed cards',
    stage: 'offered',
    deed: removing,
    rivals: [...everyday(removing, 'card-not-held'), rival('an offer of them', offering, 'card-in-escrow')],
  },
  {
    name: 'an offer',
    stage: 'offered',
    deed: offering,
    rivals: [...everyday(offering, 'card-in-escrow'), rival('a removal of its cards', removing, 'card-not-held')],
  },
];
