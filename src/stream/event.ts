import { type Json, type JsonObject, isJsonObject } from '../receipt/json.ts';
import type { Receipt } from '../receipt/receipt.ts';
import type { StreamType } from '../receipt/stream.ts';
import { type Result, err, ok } from '../result.ts';
import { type AccountEvent, accountDecidedMembers, accountPayloads } from './account/event.ts';
import { type CodeEvent, codeDecidedMembers, codePayloads } from './code/event.ts';
import { type CollectionEvent, collectionDecidedMembers, collectionPayloads } from './collection/event.ts';
import { type PixbookEvent, pixbookAskedMembers, pixbookDecidedMembers, pixbookPayloads } from './pixbook/event.ts';

/** Every event the ledger knows. */
export type LedgerEvent = AccountEvent | PixbookEvent | CollectionEvent | CodeEvent;
export type LedgerEventType = LedgerEvent['type'];

/** The projector's version: raised whenever `project` or `evolve` would make other rows from the same receipts. */
export const PROJECTOR_VERSION = 4;

export type EventFault = { readonly code: 'event-unknown' | 'payload-malformed'; readonly detail: string };

const payloadsOf = {
  account: accountPayloads,
  pixbook: pixbookPayloads,
  collection: collectionPayloads,
  code: codePayloads,
} as const satisfies Record<StreamType, object>;

const decidedMembers: { readonly [T in LedgerEventType]: readonly string[] } = {
  ...accountDecidedMembers,
  ...pixbookDecidedMembers,
  ...collectionDecidedMembers,
  ...codeDecidedMembers,
};

/** The event in a receipt. Errors: a type its stream does not have, or a payload that is not that type's. */
export const eventOf = (receipt: Pick<Receipt, 'stream' | 'type' | 'payload'>): Result<LedgerEvent, EventFault> => {
  const schemas: { readonly [type: string]: (typeof accountPayloads)[keyof typeof accountPayloads] | undefined } = payloadsOf[
    receipt.stream.type
  ] as never;
  const schema = Object.hasOwn(schemas, receipt.type) ? schemas[receipt.type] : undefined;
  if (schema === undefined)
    return err({ code: 'event-unknown', detail: `no ${receipt.type} in a ${receipt.stream.type} stream` });
  const payload = schema.safeParse(receipt.payload);
  return payload.success
    ? ok({ type: receipt.type, payload: payload.data } as LedgerEvent)
    : err({
        code: 'payload-malformed',
        detail: `${receipt.type}: ${payload.error.issues.map((i) => i.path.join('.')).join(', ')}`,
      });
};

const askedMembers: { readonly [T in LedgerEventType]?: { readonly [member: string]: string } } = pixbookAskedMembers;

/** The part of an event that the client asked for: what two requests with one idempotency key must agree on. */
export const requestedPart = (event: { readonly type: string; readonly payload: JsonObject }): JsonObject => {
  const decided = decidedMembers[event.type as LedgerEventType] ?? [];
  const asked = askedMembers[event.type as LedgerEventType] ?? {};
  return Object.fromEntries(
    Object.entries(event.payload)
      .filter(([member]) => !decided.includes(member))
      .map(([member, value]) => {
        const part = asked[member];
        return [member, part === undefined ? value : partOf(value, part)];
      }),
  );
};

/** One member of an object, or of each object of a list. */
const partOf = (value: Json, member: string): Json => {
  if (Array.isArray(value)) return value.map((element: Json) => partOf(element, member));
  return isJsonObject(value) ? (value[member] ?? null) : value;
};
