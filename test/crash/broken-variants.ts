import type { Finding } from '../../projector/audit.ts';
import type { ReadModel, View, ViewRequest } from '../../src/port/read-model.ts';
import type { ReceiptStore } from '../../src/port/receipt-store.ts';
import { prefixOf } from '../../src/receipt/key-path.ts';
import type { Stream } from '../../src/receipt/stream.ts';
import { type Rival, rivals } from './crash-case.ts';
import type { Weakening, World } from './world.ts';

/**
 * Weakened protocols (receipt.md §7), each the real code on ports that break one promise. What they break must turn the suite red, or the
 * suite proves nothing.
 */
export type BrokenVariant = {
  readonly name: string;
  readonly breaks: Finding['invariant'];
  readonly weakening: Weakening;
  readonly rivals: readonly Rival[];
};

const withStore = (change: (store: ReceiptStore, world: World) => Partial<ReceiptStore>): Weakening => {
  return (ports, world) => ({ ...ports, store: { ...methodsOf(ports.store), ...change(ports.store, world) } });
};
const withReadModel = (change: (readModel: ReadModel, world: World) => Partial<ReadModel>): Weakening => {
  return (ports, world) => ({ ...ports, readModel: { ...methodsOf(ports.readModel), ...change(ports.readModel, world) } });
};

/** The methods of a port that may be a proxy. */
const methodsOf = <P extends object>(port: P): P =>
  Object.fromEntries(Object.keys(port).map((name) => [name, Reflect.get(port, name) as unknown])) as P;

/** Random ids: a create never meets another one, so the store no longer decides who wins. Readers see the first of each position. */
const randomIds: Weakening = withStore((store, { objects }) => ({
  create: async (key, bytes) => {
    if ((await store.create(key, bytes)) === 'created') return 'created';
    objects.set(key.replace('.json', `-${objects.size}.json`), bytes);
    return 'created';
  },
}));

const viewsOf = (
  readModel: ReadModel,
  look: <S>(request: ViewRequest, view: () => Promise<View<S>>) => Promise<View<S>>,
): Pick<ReadModel, 'accountView' | 'pixbookView'> => ({
  accountView: (request) => look(request, () => readModel.accountView(request)),
  pixbookView: (request) => look(request, () => readModel.pixbookView(request)),
});

const nameOf = ({ stream, idempotencyKey }: { stream: Stream; idempotencyKey: string }): string =>
  `${prefixOf(stream)} ${idempotencyKey}`;

const onePostgres = rivals.filter((rival) => rival !== 'a rival on a second Postgres');

export const brokenVariants: readonly BrokenVariant[] = [
  { name: 'random ids under a row lock that is lost', breaks: 'I1', weakening: randomIds, rivals: onePostgres },
  { name: 'random ids on two Postgres', breaks: 'I1', weakening: randomIds, rivals: ['a rival on a second Postgres'] },
  {
    name: 'an unconditional put',
    breaks: 'I2',
    rivals,
    weakening: withStore((_store, { objects }) => ({
      create: async (key, bytes) => {
        objects.set(key, bytes);
        return 'created';
      },
    })),
  },
  {
    name: 'no second look at the idempotency key after a lost position',
    breaks: 'I3',
    rivals,
    weakening: withReadModel((readModel) => {
      const unseen = new Set<string>();
      return viewsOf(readModel, async (request, view) => {
        const seen = await view();
        if (seen.seen === null) unseen.add(nameOf(request));
        return unseen.has(nameOf(request)) ? { ...seen, seen: null } : seen;
      });
    }),
  },
  {
    name: 'idempotency key and head read separately',
    breaks: 'I3',
    rivals,
    weakening: withReadModel((readModel) =>
      viewsOf(readModel, async (_request, view) => {
        const { seen } = await view();
        return { ...(await view()), seen };
      }),
    ),
  },
  {
    name: 'an answer before the put',
    breaks: 'I2',
    rivals,
    weakening: withStore((store) => ({
      create: async (key, bytes) => {
        void store.create(key, bytes).catch(() => undefined);
        return 'created';
      },
    })),
  },
];
