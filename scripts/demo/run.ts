import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cards, series } from '../../src/service/demo-catalogue.ts';
import { type Client, DemoStopped, clientOf, rowsOf, textOf } from './api.ts';
import { refusedAs } from './cheat.ts';
import { type Copy, type Family, copiesOf, newFamily } from './family.ts';
import { chapter, say, short } from './say.ts';

const url = (process.env.PUBLIC_URL ?? `http://localhost:${process.env.PORT ?? '8080'}`).replace(/\/+$/, '');
const dataDir = process.env.DATA_DIR ?? 'data';
const tokenFile = join(dataDir, 'secrets', 'demo-operator-token');
const certificateFile = join(dataDir, 'demo-trade-certificate.json');
const pollMs = 100;
const pollsAtMost = 300;

const play = async (): Promise<void> => {
  const nobody = clientOf(url);
  await nobody.get('/health/ready').catch((error: unknown) => stop(`nothing is ready at ${url}: run npm start first`, error));
  const token = await readFile(tokenFile, 'utf8').catch((error: unknown) =>
    stop(`${tokenFile} cannot be read: the demo plays against an embedded npm start in this directory`, error),
  );
  const issuer = nobody.as(token.trim());
  const { collectionId, dropId } = await publish(issuer);
  const ada = await newFamily(nobody, 'Ada', collectionId);
  const ben = await newFamily(nobody, 'Ben', collectionId);
  await collect(issuer, { collectionId, dropId }, ada, ben);
  await swap(ada, ben);
  await cheat({ dropId }, ada, ben);
  await close(issuer, dropId, ada);
  await end(nobody, ada, ben);
};

type Drop = { readonly collectionId: string; readonly dropId: string };

const publish = async (issuer: Client): Promise<Drop> => {
  chapter('An issuer publishes a collection and opens a drop');
  for (const { artHash, svg } of cards) await issuer.put(`/v1/art/${artHash}`, svg, 'image/svg+xml');
  const catalogue = cards.map(({ svg: _svg, ...card }) => card);
  const published = await issuer.do('/v1/collections', { version: 1, title: 'Tide pool', series, cards: catalogue });
  const collectionId = textOf(published, 'collectionId');
  say(`“Tide pool”, ${cards.length} cards in ${series.length} series: ${collectionId}`);
  say(`art of the first card: ${url}/v1/art/${cards[0]?.artHash ?? ''}`);
  const dropId = textOf(await issuer.do(`/v1/collections/${collectionId}/drops`, { title: 'Week 1', packSize: 5 }), 'dropId');
  const { seedHash } = await issuer.get(`/v1/drops/${dropId}`);
  say(`drop ${short(dropId)}, five cards a pack, is committed to a seed nobody has seen: ${String(seedHash)}`);
  return { collectionId, dropId };
};

const collect = async (issuer: Client, { collectionId, dropId }: Drop, ...families: readonly Family[]): Promise<void> => {
  chapter('Two families collect: a pack of the drop each, and two codes each');
  const batch = await issuer.do('/v1/batches/codes', { collectionId, dropId, count: families.length * 2 });
  const codes = await codesOf(issuer, textOf(batch, 'batchId'));
  for (const [i, family] of families.entries()) {
    const { name, api, bookId } = family;
    const issued = await api.do(`/v1/pixbooks/${bookId}/commands/issue-pack`, { dropId });
    const packIds = [textOf(issued, 'packId')];
    for (const code of codes.slice(i * 2, i * 2 + 2))
      packIds.push(textOf(await api.do('/v1/codes/commands/claim', { code, bookId }), 'packId'));
    for (const packId of packIds) await api.do(`/v1/pixbooks/${bookId}/commands/open-pack`, { packId });
    say(`${name} opened ${packIds.length} packs: ${namesOf(await copiesOf(family))}`);
  }
  const [ada, ben] = families;
  const taken = await ben?.api.attempt('/v1/codes/commands/claim', { code: codes[0], bookId: ben.bookId });
  if (ada !== undefined && taken !== undefined) refusedAs('Ben tries a code that Ada has claimed', ['code-claimed'], taken);
};

/** Waits for the job, then asks for the codes, which are shown once. */
const codesOf = async (issuer: Client, batchId: string): Promise<readonly string[]> => {
  for (let poll = 0; poll < pollsAtMost; poll++) {
    const { status } = await issuer.get(`/v1/batches/${batchId}`);
    if (status === 'finished') {
      const shown = await issuer.do(`/v1/batches/${batchId}/commands/show-codes`);
      const codes = Array.isArray(shown.codes) ? shown.codes : [];
      return codes.map((each: unknown) => (typeof each === 'string' ? each : textOf(each as Record<string, unknown>, 'code')));
    }
    await sleep(pollMs);
  }
  throw new DemoStopped('the batch of codes did not come to an end');
};

const swap = async (ada: Family, ben: Family): Promise<void> => {
  chapter('They swap a card');
  const [gives, wants] = await swapBetween(ada, ben);
  say(`Ada offers ${gives.cardId} and wants ${wants.cardId}`);
  const offer = {
    bookId: ada.bookId,
    to: { bookId: ben.bookId },
    give: [gives.instanceId],
    want: { instanceIds: [wants.instanceId] },
  };
  const tradeId = textOf(await ada.api.do('/v1/trades', { ...offer, expiresAt: inAnHour() }), 'tradeId');
  const again = await ada.api.attempt('/v1/trades', { ...offer, expiresAt: inAnHour() });
  refusedAs('Ada offers the same copy a second time', ['card-in-escrow'], again);
  await ben.api.do(`/v1/trades/${tradeId}/commands/accept`, {});
  const trade = await ada.api.get(`/v1/trades/${tradeId}`);
  say(`Ben accepts: the trade is ${String(trade.status)}`);
  const [hers, his] = [await copiesOf(ada), await copiesOf(ben)];
  const has = (copies: readonly Copy[], { instanceId }: Copy) => copies.some((copy) => copy.instanceId === instanceId);
  if (!has(hers, wants) || !has(his, gives) || has(hers, gives) || has(his, wants))
    throw new DemoStopped('the books do not hold what the trade says');
  say(`Ada now holds ${wants.cardId}, Ben ${gives.cardId}; each copy is in exactly one book`);
  const late = await ada.api.attempt(`/v1/trades/${tradeId}/commands/cancel`, {});
  refusedAs('Ada changes her mind', ['trade-accepted'], late);
  await writeFile(certificateFile, JSON.stringify(await ada.api.get(`/v1/trades/${tradeId}/certificate`)));
  say(`its certificate, from /v1/trades/${tradeId}/certificate, is kept in ${certificateFile}`);
};

/** A copy of each that the other has none of. */
const swapBetween = async (ada: Family, ben: Family): Promise<readonly [Copy, Copy]> => {
  const [hers, his] = [await copiesOf(ada), await copiesOf(ben)];
  const gives = hers.find(({ cardId }) => !his.some((copy) => copy.cardId === cardId));
  const wants = his.find(({ cardId }) => !hers.some((copy) => copy.cardId === cardId));
  if (gives === undefined || wants === undefined)
    throw new DemoStopped('the two books hold the same cards: start the demo again');
  return [gives, wants];
};

const cheat = async ({ dropId }: Pick<Drop, 'dropId'>, ada: Family, ben: Family): Promise<void> => {
  chapter('Somebody tries to cheat');
  const book = `/v1/pixbooks/${ada.bookId}/commands`;
  const mint = await ada.api.attempt(`${book}/add-cards`, { cardIds: ['blue-whale'], reason: 'because I want it' });
  refusedAs('Ada mints herself a card (rule 3)', ['forbidden'], mint);
  const madeUp = {
    bookId: ada.bookId,
    to: { bookId: ben.bookId },
    give: [`ins_${'0'.repeat(26)}`],
    want: {},
    expiresAt: inAnHour(),
  };
  refusedAs('Ada gives away a copy she made up (rule 4)', ['card-not-held'], await ada.api.attempt('/v1/trades', madeUp));
  const second = await ada.api.attempt(`${book}/issue-pack`, { dropId });
  refusedAs('Ada asks for a second pack of the drop (rule 5)', ['pack-issued'], second);
  const [his] = await copiesOf(ben);
  const theft = { ...madeUp, give: [his?.instanceId ?? ''] };
  refusedAs('Ada offers a copy of Ben’s (rule 8)', ['card-not-held'], await ada.api.attempt('/v1/trades', theft));
  const foreign = await ada.api.attempt(`/v1/pixbooks/${ben.bookId}/commands/open-pack`, { packId: `pck_${'0'.repeat(26)}` });
  refusedAs('Ada acts in Ben’s book', ['not-found'], foreign);
};

const close = async (issuer: Client, dropId: string, ada: Family): Promise<void> => {
  chapter('The drop is closed, and everyone can draw its packs again');
  await issuer.do(`/v1/drops/${dropId}/commands/close`);
  const { seed } = await issuer.get(`/v1/drops/${dropId}`);
  say(`its seed was ${String(seed)}`);
  const late = await ada.api.attempt(`/v1/pixbooks/${ada.bookId}/commands/issue-pack`, { dropId });
  refusedAs('Ada asks for a pack, now that she could foresee it', ['pack-issued', 'drop-closed'], late);
};

const end = async (nobody: Client, ...families: readonly Family[]): Promise<void> => {
  chapter('What there is now');
  for (const family of families) {
    const completion = await family.api.get(`/v1/pixbooks/${family.bookId}/completion`);
    const packs = rowsOf(await family.api.get(`/v1/pixbooks/${family.bookId}/packs`)).length;
    say(`${family.name}: ${packs} packs, ${String(completion.held)} of ${String(completion.total)} cards`);
  }
  const { fingerprint } = await nobody.get('/.well-known/pixpax-ledger.json');
  say('');
  say('Verify all of it, and the trade by itself, without trusting the service; then make the database again from the receipts:');
  say(`npm run ledger -- verify --trust ${String(fingerprint)}`);
  say(`npm run ledger -- verify ${certificateFile} --trust ${String(fingerprint)}`);
  say('npm run ledger -- rebuild');
};

const namesOf = (copies: readonly Copy[]): string => copies.map(({ cardId }) => cardId).join(', ');
const inAnHour = (): string => new Date(Date.now() + 3_600_000).toISOString();
const stop = (message: string, cause: unknown): never => {
  throw new DemoStopped(message, { cause });
};

try {
  await play();
} catch (error) {
  if (!(error instanceof DemoStopped)) throw error;
  console.error(`\nThe demo stopped: ${error.message}`);
  process.exitCode = 2;
}
