import { limits } from '../../src/limits.ts';
import { LEDGER_ROOT } from '../../src/receipt/key-path.ts';
import { OPERATOR_PREFIX } from '../ledger-walk.ts';
import { type Found, type LedgerSource, type StreamListing, endOfStream } from '../source.ts';

/** All streams of accounts come before all others, which rest on them; the operator's comes before all. */
export type Phase = 'operator' | WalkedPhase;
export type WalkedPhase = 'accounts' | 'others';

/** What a walk came upon; `last` is the key behind which it goes on, null when there was nothing more. */
export type Walked = {
  readonly streams: readonly StreamListing[];
  readonly unexpected: readonly string[];
  readonly keys: number;
  readonly last: string | null;
  readonly ended: boolean;
};

export const OPERATOR_LISTING: StreamListing = { prefix: OPERATOR_PREFIX, keys: null };

const ACCOUNTS = `${LEDGER_ROOT}accounts/`;
/** Behind every key among the accounts: `0` comes after `/`. */
const BEHIND_ACCOUNTS = `${LEDGER_ROOT}accounts0`;

/**
 * Walks on behind a key, for as much as one unit is to have. The listing is kept open from one call to the next, and opened again when
 * another process has gone on meanwhile. Throws `Outage`.
 */
export const openUnitWalk = (source: LedgerSource, phase: WalkedPhase, lanes: number) => {
  let open: { readonly items: AsyncGenerator<Found>; reached: string | null; held: Found | null } | null = null;

  return async (after: string | null, keysSoFar: number): Promise<Walked> => {
    open = open?.reached === after ? open : { items: streamsIn(source, phase, after), reached: after, held: null };
    const walk = open;
    const next = async (): Promise<Found | null> => {
      const held = walk.held;
      walk.held = null;
      if (held !== null) return held;
      const pulled = await walk.items.next();
      return pulled.done === true ? null : pulled.value;
    };
    const unit = openUnit(source, unitKeys(keysSoFar, lanes));
    let ended = false;
    for (let found = await next(); ; found = await next()) {
      ended = found === null;
      if (found === null) break;
      if (unit.isFull(found)) {
        walk.held = found;
        break;
      }
      unit.add(found);
    }
    const { streams, unexpected, keys, last } = unit.made();
    open.reached = last ?? after;
    return { streams, unexpected, keys, last, ended };
  };
};

/** A unit in the making. Where streams lie in bundles, it is the streams of one, so that each bundle is opened by one thread. */
const openUnit = ({ placeOf }: LedgerSource, mostKeys: number) => {
  const streams: StreamListing[] = [];
  const unexpected: string[] = [];
  let keys = 0;
  let last: string | null = null;
  let place: number | null = null;
  const placeIn = (found: Found): number | null => ('stream' in found ? (placeOf?.(found.stream.prefix) ?? null) : null);
  return {
    isFull: (next: Found): boolean => {
      if (streams.length >= limits.unitStreams || keys >= 2 * limits.unitKeys) return true;
      return keys >= mostKeys && (place === null || placeIn(next) !== place);
    },
    add: (found: Found): void => {
      last = behind(found);
      if ('stream' in found) {
        streams.push(found.stream);
        place = placeIn(found);
      } else unexpected.push(found.unexpected);
      keys += 'stream' in found ? (found.stream.keys?.length ?? limits.listPageKeys) : 1;
    },
    made: () => ({ streams, unexpected, keys, last }),
  };
};

/** The streams of a unit that somebody else began: listed again. */
export const streamsOfUnit = async (
  source: LedgerSource,
  phase: Phase,
  { after, last }: { readonly after: string | null; readonly last: string },
): Promise<Pick<Walked, 'streams' | 'unexpected'>> => {
  if (phase === 'operator') return { streams: [OPERATOR_LISTING], unexpected: [] };
  const streams: StreamListing[] = [];
  const unexpected: string[] = [];
  for await (const found of streamsIn(source, phase, after)) {
    if (behind(found) > last) break;
    if ('stream' in found) streams.push(found.stream);
    else unexpected.push(found.unexpected);
  }
  return { streams, unexpected };
};

const behind = (found: Found): string => ('stream' in found ? endOfStream(found.stream.prefix) : found.unexpected);

/** A tenth of each lane's share so far, so that no lane is left working alone for long at the end. */
const unitKeys = (keysSoFar: number, lanes: number): number =>
  Math.min(limits.unitKeys, Math.max(limits.smallUnitKeys, Math.floor(keysSoFar / (lanes * 10))));

/** The operator's stream is left out: it is a unit of its own, and every process reads it for itself too. */
async function* streamsIn(source: LedgerSource, phase: WalkedPhase, after: string | null): AsyncGenerator<Found> {
  if (phase === 'accounts') {
    for await (const found of source.find(ACCOUNTS, after ?? undefined)) if (!isOperators(found)) yield found;
    return;
  }
  if (after === null || after < ACCOUNTS)
    for await (const found of source.find(LEDGER_ROOT, after ?? undefined)) {
      if (behind(found) > ACCOUNTS) break;
      yield found;
    }
  yield* source.find(LEDGER_ROOT, after === null || after < BEHIND_ACCOUNTS ? BEHIND_ACCOUNTS : after);
}

const isOperators = (found: Found): boolean => 'stream' in found && found.stream.prefix === OPERATOR_PREFIX;

export const isPixbookKey = (key: string): boolean => key.startsWith(`${LEDGER_ROOT}pixbooks/`);
