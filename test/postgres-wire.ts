import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import pg from 'pg';

/** A wire to a Postgres that may be cut, or lead to another one: its own address stays. */
export type Wire = {
  readonly url: string;
  /** Ends every connection, and lets nobody through until `lead`. */
  cut(): void;
  lead(url: string): void;
  close(): Promise<void>;
};

/** The address of a wire is that of `url`, user and password included, with the wire's host and port. */
export const wireTo = async (url: string): Promise<Wire> => {
  let target: pg.Client | null = new pg.Client(url);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    if (target === null) return near.destroy();
    const { host, port } = target;
    const far = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy()).on('close', () => sockets.delete(one) && other.destroy());
      one.pipe(other);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const through = new URL('postgres://127.0.0.1');
  through.port = String((server.address() as AddressInfo).port);
  through.pathname = `/${target.database ?? ''}`;
  through.username = target.user ?? '';
  through.password = encodeURIComponent(target.password ?? '');
  const cut = (): void => {
    target = null;
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: through.href,
    cut,
    lead: (to) => {
      target = new pg.Client(to);
    },
    close: async () => {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
};
