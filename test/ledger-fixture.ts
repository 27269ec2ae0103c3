import { memorySigner } from '../src/adapter/memory/signer.ts';
import type { Application } from '../src/port/read-model.ts';
import type { KeyName, Signer } from '../src/port/signer.ts';
import { project } from '../src/projection/project.ts';
import { type Head, headOf, nextPosition } from '../src/receipt/chain.ts';
import { publicKeyIdOf } from '../src/receipt/hash.ts';
import {
  type AccountId,
  type CollectionId,
  type IdempotencyKey,
  type IdentityId,
  OPERATOR_ACCOUNT_ID,
  OPERATOR_IDENTITY_ID,
  type PublicKeyId,
  type UserId,
  accountIdFor,
  bookIdFor,
  derivedUlid,
  identityIdFor,
  instantOf,
  parseCollectionId,
  parseIdempotencyKey,
  parseUserId,
} from '../src/receipt/ids.ts';
import type { JsonObject } from '../src/receipt/json.ts';
import { eventIdAt, prefixOf } from '../src/receipt/key-path.ts';
import { type StoredReceipt, type UnsignedReceipt, sealReceipt, signedBytesOf } from '../src/receipt/receipt.ts';
import { toLowS } from '../src/receipt/signature.ts';
import { type Stream, type StreamOf, accountStream, pixbookStream } from '../src/receipt/stream.ts';
import { type Result, ok } from '../src/result.ts';
import type { AccountCommand } from '../src/stream/account/command.ts';
import { decideAccount } from '../src/stream/account/decide.ts';
import type { LedgerEvent } from '../src/stream/event.ts';
import { type IdentityRef, type StreamState, emptyStream, evolveStream, requiredIssuer } from '../src/stream/fold.ts';
import type { PixbookCommand } from '../src/stream/pixbook/command.ts';
import { decidePixbook } from '../src/stream/pixbook/decide.ts';
import type { Refusal } from '../src/stream/refusal.ts';

/** Choices a test may make for one receipt; what is left out is different for each receipt and the same in every run. */
export type ReceiptChoices = { readonly key?: IdempotencyKey; readonly atMs?: number };

/** The receipt a command led to, or the rule that refused it. */
export type Attempt = Result<StoredReceipt, Refusal<string>>;

/** A ledger without a store: receipts as the append would write them, made by decide, build and sign. */
export type FixtureLedger = {
  /** Every receipt, in the order in which they were made; the first is the operator's genesis. */
  readonly receipts: readonly StoredReceipt[];
  /** The fingerprint of the operator's first key. */
  readonly trust: PublicKeyId;
  readonly receiptsOf: (stream: Stream) => readonly StoredReceipt[];
  readonly stateOf: (stream: Stream) => StreamState;
  readonly headOf: (stream: Stream) => Head | null;
  /** Appends what the command leads to, or answers why it is refused. */
  readonly account: (id: AccountId, command: AccountCommand, choices?: ReceiptChoices) => Promise<Attempt>;
  readonly pixbook: (stream: StreamOf<'pixbook'>, command: PixbookCommand, choices?: ReceiptChoices) => Promise<Attempt>;
  /** The commands most tests begin with. They throw when refused. */
  readonly createAccount: (owner: UserId, choices?: ReceiptChoices) => Promise<StreamOf<'account'>>;
  readonly createIdentity: (accountId: AccountId, controller: UserId, choices?: ReceiptChoices) => Promise<IdentityId>;
  readonly rotateKey: (accountId: AccountId, identityId: IdentityId, by: UserId) => Promise<StoredReceipt>;
  readonly createPixbook: (
    accountId: AccountId,
    identityId: IdentityId,
    collectionId: CollectionId,
    generation?: number,
  ) => Promise<StreamOf<'pixbook'>>;
  /** Saves on the head the book has. */
  readonly save: (stream: StreamOf<'pixbook'>, state: JsonObject, choices?: ReceiptChoices) => Promise<StoredReceipt>;
  /** Standard base64 of the SPKI DER that the signer has, or makes, for a key of an identity. */
  readonly publicKeyOf: (identityId: IdentityId, generation: number) => Promise<string>;
  /** A signed receipt that follows the head, whatever the rules say of its event; the ledger does not take it in. */
  readonly forge: (
    stream: Stream,
    event: { type: string; payload: JsonObject },
    choices?: ReceiptChoices,
  ) => Promise<StoredReceipt>;
};

/** Ids by hand, for tests. Throw when malformed. */
export const userId = (text: string): UserId => granted(parseUserId(text));
export const idempotencyKey = (text: string): IdempotencyKey => granted(parseIdempotencyKey(text));
export const collectionId = (name: string): CollectionId =>
  granted(parseCollectionId(`col_${derivedUlid('test/collection', name)}`));

/** What applying a receipt to a projection takes. Throws when `project` does not know it. */
export const applicationOf = (stored: StoredReceipt): Application => ({
  stream: stored.receipt.stream,
  head: headOf(stored),
  projected: granted(project(stored)),
});

const START_MS = Date.UTC(2026, 0, 1);
const SPACING_MS = 1_000;

/** The value, or an error that shows what was wrong: for what a test takes for granted. */
export const granted = <T>(result: Result<T, unknown>): T => {
  if (!result.ok) throw new Error(`a test took this for granted: ${JSON.stringify(result.error)}`);
  return result.value;
};

/** A new ledger with its genesis. Keys come from `signer` and are named as the append names them. */
export const fixtureLedger = async (signer: Signer = memorySigner()): Promise<FixtureLedger> => {
  const receipts: StoredReceipt[] = [];
  const streams = new Map<string, { state: StreamState; receipts: StoredReceipt[] }>();

  const at = (stream: Stream) => {
    const prefix = prefixOf(stream);
    const found = streams.get(prefix) ?? { state: emptyStream(stream), receipts: [] };
    streams.set(prefix, found);
    return found;
  };
  const headAt = (stream: Stream): Head | null => {
    const last = at(stream).receipts.at(-1);
    return last === undefined ? null : headOf(last);
  };
  const publicKeyOf = async (identityId: IdentityId, generation: number): Promise<string> =>
    Buffer.from(await signer.createKey(keyNameOf(identityId, generation))).toString('base64');

  /** Genesis is signed by the key it brings; everybody else's is in the account's state. */
  const generationOf = ({ accountId, identityId }: IdentityRef): number => {
    const account = at(accountStream(accountId)).state;
    return (account.type === 'account' ? account.state.identities.get(identityId)?.keyGeneration : undefined) ?? 1;
  };

  const build = async (
    stream: Stream,
    issuer: IdentityRef,
    event: LedgerEvent,
    choices: ReceiptChoices,
  ): Promise<StoredReceipt> => {
    const before = headAt(stream);
    const position = nextPosition(before);
    const name = keyNameOf(issuer.identityId, generationOf(issuer));
    const unsigned: UnsignedReceipt = {
      eventId: eventIdAt(stream, position),
      stream,
      type: event.type,
      payload: event.payload,
      createdAt: instantOf(choices.atMs ?? START_MS + receipts.length * SPACING_MS),
      issuer: { identityId: issuer.identityId, publicKeyId: publicKeyIdOf(await signer.createKey(name)) },
      idempotencyKey: choices.key ?? idempotencyKey(`key-${receipts.length}`),
      prevEventId: before?.eventId ?? null,
      prevHash: before?.hash ?? null,
      schemaVersion: 1,
    };
    const signed = signedBytesOf(unsigned);
    return { ...sealReceipt(unsigned, signed, toLowS(await signer.sign(name, signed))), position };
  };

  const append = async (stream: Stream, event: LedgerEvent, choices: ReceiptChoices = {}): Promise<StoredReceipt> => {
    const here = at(stream);
    const stored = await build(stream, granted(requiredIssuer(here.state, stream, event)), event, choices);
    here.state = granted(evolveStream(here.state, stream, event, stored.receipt.eventId));
    here.receipts.push(stored);
    receipts.push(stored);
    return stored;
  };

  const account: FixtureLedger['account'] = async (id, command, choices) => {
    const { state } = at(accountStream(id));
    if (state.type !== 'account') throw new TypeError('not an account');
    const event = decideAccount(id, state.state, command);
    return event.ok ? ok(await append(accountStream(id), event.value, choices)) : event;
  };
  const pixbook: FixtureLedger['pixbook'] = async (stream, command, choices) => {
    const { state } = at(stream);
    if (state.type !== 'pixbook') throw new TypeError('not a pixbook');
    const event = decidePixbook(state.state, command);
    return event.ok ? ok(await append(stream, event.value, choices)) : event;
  };

  const publicKey = await publicKeyOf(OPERATOR_IDENTITY_ID, 1);
  granted(await account(OPERATOR_ACCOUNT_ID, { type: 'initialise-operator', identityId: OPERATOR_IDENTITY_ID, publicKey }));

  return {
    receipts,
    trust: publicKeyIdOf(Buffer.from(publicKey, 'base64')),
    receiptsOf: (stream) => at(stream).receipts,
    stateOf: (stream) => at(stream).state,
    headOf: headAt,
    publicKeyOf,
    account,
    pixbook,
    createAccount: async (owner, choices = {}) => {
      const key = choices.key ?? idempotencyKey(`key-${receipts.length}`);
      const id = accountIdFor(owner, key);
      granted(await account(id, { type: 'create-account', owner }, { ...choices, key }));
      return accountStream(id);
    },
    createIdentity: async (accountId, controller, choices = {}) => {
      const key = choices.key ?? idempotencyKey(`key-${receipts.length}`);
      const identityId = identityIdFor(accountId, key);
      const command = { type: 'create-identity', identityId, publicKey: await publicKeyOf(identityId, 1), controller } as const;
      granted(await account(accountId, { ...command, by: controller }, { ...choices, key }));
      return identityId;
    },
    rotateKey: async (accountId, identityId, by) => {
      const publicKey = await publicKeyOf(identityId, generationOf({ accountId, identityId }) + 1);
      return granted(await account(accountId, { type: 'rotate-key', identityId, publicKey, by }));
    },
    createPixbook: async (accountId, identityId, collectionId, generation = 1) => {
      const stream = pixbookStream(accountId, bookIdFor(identityId, collectionId, generation));
      granted(await pixbook(stream, { type: 'create-pixbook', identityId, collectionId, generation }));
      return stream;
    },
    save: async (stream, state, choices) => {
      const baseEventId = headAt(stream)?.eventId ?? eventIdAt(stream, 0);
      return granted(await pixbook(stream, { type: 'save', state, baseEventId }, choices));
    },
    forge: (stream, event, choices = {}) => {
      const { state } = at(stream);
      const issuer =
        state.type === 'pixbook' && stream.type === 'pixbook' && state.state.status !== 'absent'
          ? { accountId: stream.accountId, identityId: state.state.identityId }
          : { accountId: OPERATOR_ACCOUNT_ID, identityId: OPERATOR_IDENTITY_ID };
      return build(stream, issuer, event as LedgerEvent, choices);
    },
  };
};

const keyNameOf = (identityId: IdentityId, generation: number): KeyName => `pixpax-${identityId}-${generation}`;
