import type { CommandContext, CommandOutcome, LedgerCommands } from '../../src/command/ledger-commands.ts';
import type { CollectorWorld } from './collector-world.ts';
import { asks, otherCollectionId, user } from './world.ts';

/** A command under test: how to post it, with a key of one's choice. Rivals post it too. */
export type Subject = {
  readonly name: string;
  readonly post: (commands: LedgerCommands, world: CollectorWorld, context: CommandContext) => Promise<CommandOutcome>;
  /** What a rival with another key posts: something that wants the same position. */
  readonly rival: (commands: LedgerCommands, world: CollectorWorld, context: CommandContext) => Promise<CommandOutcome>;
};

const saving =
  (state: string): Subject['post'] =>
  (commands, { accountId, bookId, head }, context) =>
    commands.save(context, { accountId, bookId }, { state: { state }, baseEventId: head });

export const subjects: readonly Subject[] = [
  { name: 'a save', post: saving('subject'), rival: saving('rival') },
  {
    name: 'a new pixbook',
    post: (commands, { accountId, identityId }, context) =>
      commands.createPixbook(context, { accountId, identityId, collectionId: otherCollectionId }),
    rival: (commands, { accountId, identityId }, context) =>
      commands.createPixbook(context, { accountId, identityId, collectionId: otherCollectionId }),
  },
  {
    name: 'a new identity',
    post: (commands, { accountId }, context) => commands.createIdentity(context, accountId, user),
    rival: (commands, { accountId }, context) => commands.createIdentity(context, accountId, user),
  },
  {
    name: 'a new account',
    post: (commands, _world, context) => commands.createAccount(context),
    rival: (commands, _world, context) => commands.createAccount(context),
  },
  {
    name: 'a rotated key',
    post: (commands, { accountId, identityId }, context) => commands.rotateKey(context, accountId, identityId),
    rival: (commands, { accountId, identityId }, context) => commands.rotateKey(context, accountId, identityId),
  },
];

export const subjectKey = asks('subject');
export const rivalKey = asks('rival');
