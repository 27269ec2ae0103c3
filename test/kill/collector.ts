import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Acknowledgement } from '../../projector/audit.ts';
import type { ReceiptStore } from '../../src/port/receipt-store.ts';
import {
  type AccountId,
  type BookId,
  type EventId,
  type IdempotencyKey,
  type ReceiptHash,
  parseEventId,
} from '../../src/receipt/ids.ts';
import { prefixOf } from '../../src/receipt/key-path.ts';
import { pixbookStream } from '../../src/receipt/stream.ts';
import type { ApiProcess } from './api-process.ts';

export type Answer = { readonly status: number; readonly body: Record<string, unknown> };

/** One request with the demo's token of that process; null when there was no answer at all. */
export const ask = async (api: ApiProcess, path: string, post?: { key: string; body: unknown }): Promise<Answer | null> => {
  try {
    const token = (await readFile(join(api.dataDir, 'secrets', 'demo-token'), 'utf8')).trim();
    const response = await fetch(`${api.url}${path}`, {
      method: post === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        ...(post === undefined ? {} : { 'content-type': 'application/json', 'idempotency-key': post.key }),
      },
      ...(post === undefined ? {} : { body: JSON.stringify(post.body) }),
      signal: AbortSignal.timeout(15_000),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  } catch {
    return null;
  }
};

/** Repeats a command with its key, at any of the processes, until one of them answers for good. */
export const insist = async (
  apis: readonly ApiProcess[],
  path: string,
  body: unknown,
  key: string = randomUUID(),
): Promise<Answer & { key: string }> => {
  for (;;) {
    const api = apis[Math.floor(Math.random() * apis.length)];
    const answer = api === undefined ? null : await ask(api, path, { key, body });
    // 401: a process that is starting, whose users are not there yet.
    if (answer !== null && answer.status < 500 && answer.status !== 401 && answer.status !== 429) return { ...answer, key };
    await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 80));
  }
};

export type Book = { readonly accountId: AccountId; readonly bookId: BookId };

/** A collector saves into a book, over and over, at whichever process answers; others save into the same book. */
export const collect = async (
  apis: readonly ApiProcess[],
  store: ReceiptStore,
  book: Book,
  acknowledged: Acknowledgement[],
  goesOn: () => boolean,
): Promise<void> => {
  const stream = pixbookStream(book.accountId, book.bookId);
  for (let turn = 0; goesOn(); turn++) {
    const baseEventId = await lastEventOf(store, book);
    const path = `/v1/pixbooks/${book.bookId}/commands/save?accountId=${book.accountId}`;
    const { status, body, key } = await insist(apis, path, { state: { turn }, baseEventId });
    if (status === 201)
      acknowledged.push({
        stream,
        idempotencyKey: key as IdempotencyKey,
        eventId: body.eventId as EventId,
        hash: body.hash as ReceiptHash,
      });
    else if (status !== 409) throw new Error(`a save was answered ${status}: ${JSON.stringify(body)}`);
  }
};

/** The head as the store has it: the test asks the truth, not the processes. */
const lastEventOf = async (store: ReceiptStore, { accountId, bookId }: Book): Promise<EventId> => {
  const prefix = `${prefixOf(pixbookStream(accountId, bookId))}/events/`;
  let last: string | undefined;
  for (;;) {
    const page = await store.list({ prefix, limit: 1000, ...(last === undefined ? {} : { startAfter: last }) });
    last = page.at(-1) ?? last;
    if (page.length < 1000) break;
  }
  const eventId = parseEventId(last?.slice(prefix.length, -'.json'.length));
  if (!eventId.ok) throw new Error('a book without receipts');
  return eventId.value;
};
