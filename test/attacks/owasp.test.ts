import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { permissions, scopes } from '../../src/access/permission.ts';
import { memorySealer } from '../../src/adapter/memory/sealer.ts';
import { memorySigner } from '../../src/adapter/memory/signer.ts';
import { openLedger } from '../../src/command/ledger.ts';
import { routes } from '../../src/http/app.ts';
import { GUEST, ISSUER, MEMBER, NEIGHBOUR, OWNER, PARTNER, SIBLING, VIEWER } from '../../src/http/crowded.fixture.ts';
import { OPERATOR, keyOf, makeWorld, said } from '../../src/http/ledger.fixture.ts';
import { openApiDocument } from '../../src/http/openapi-document.ts';
import { isSignInSystem, operationsOf, rowOf } from '../../src/http/plausible.fixture.ts';
import { limits } from '../../src/limits.ts';
import { type Service, newcomer, startService } from '../e2e/service.ts';
import { type TestDatabase, freshDatabase } from '../postgres.ts';
import { type Room, codeIn, openRoom } from './room.ts';

/** The OWASP API Security Top 10 of 2023 against this service: at least three attacks of each kind, each in a sentence. */

let room: Room;
/** The service as it is run: for what its sign-in does. */
let real: Service;
let database: TestDatabase;
let folder: string;
let person: Awaited<ReturnType<typeof newcomer>>;
beforeAll(async () => {
  room = await openRoom();
  folder = await mkdtemp(join(tmpdir(), 'pixpax-attacks-'));
  database = await freshDatabase({ empty: true });
  real = await startService(folder, {
    ...{ DATABASE_URL: database.url, KEYS_DIR: join(folder, 'keys'), DEMO: 'off', PUBLIC_URL: 'https://ledger.example' },
    ...{ AUTH_SECRET: 'a'.repeat(40), CODE_SECRET: 'c'.repeat(40), METRICS_TOKEN: 'm'.repeat(40), RATE_LIMITS: 'off' },
  });
  await real.ready;
  person = await newcomer(real.api);
});
afterAll(async () => {
  await room?.stop();
  await real?.stop();
  await database?.drop();
  await rm(folder, { recursive: true, force: true });
});

let keys = 0;
/** Asks the world behind the room: every answer is held against the API description. */
const ask = (method: string, path: string, as: string | null, body?: unknown, headers: Record<string, string> = {}) =>
  room.crowd.world.ask(method, path, { as, key: `owasp-${keys++}`, body, headers });
const outcome = async (answer: Promise<Response>): Promise<readonly [number, unknown]> => {
  const { status, body } = await answer.then(async (each) => ({ status: each.status, body: await each.text() }));
  return [status, body === '' ? null : ((JSON.parse(body) as Record<string, unknown>).code ?? null)];
};
const NOT_FOUND = [404, 'not-found'] as const;
const FORBIDDEN = [403, 'forbidden'] as const;

type Case = readonly [string, () => Promise<void>];

const brokenObjectLevelAuthorization: readonly Case[] = [
  [
    'naming one’s own account as that of somebody else’s book does not open it',
    async () => {
      const { bookId, neighbour, headEventId } = room.crowd;
      const hint = `?accountId=${neighbour.accountId}`;
      expect(await outcome(ask('GET', `/v1/pixbooks/${bookId}${hint}`, NEIGHBOUR))).toEqual(NOT_FOUND);
      const save = { state: {}, baseEventId: headEventId };
      expect(await outcome(ask('POST', `/v1/pixbooks/${bookId}/commands/save${hint}`, NEIGHBOUR, save))).toEqual(NOT_FOUND);
      expect(await outcome(ask('POST', `/v1/pixbooks/${bookId}/commands/close${hint}`, NEIGHBOUR))).toEqual(NOT_FOUND);
    },
  ],
  [
    'event ids can be computed, and open no receipt',
    async () => expect(await outcome(ask('GET', `/v1/receipts/${room.crowd.eventId}`, NEIGHBOUR))).toEqual(NOT_FOUND),
  ],
  [
    'an ETag that was seen once does not tell that it still holds',
    async () => {
      const { bookId } = room.crowd;
      const etag = (await ask('GET', `/v1/pixbooks/${bookId}`, MEMBER)).headers.get('etag') ?? '';
      expect(etag).not.toBe('');
      for (const as of [NEIGHBOUR, GUEST])
        expect(await outcome(ask('GET', `/v1/pixbooks/${bookId}`, as, undefined, { 'If-None-Match': etag }))).toEqual(NOT_FOUND);
    },
  ],
  [
    'a cursor of somebody else’s list leads into one’s own',
    async () => {
      const { meta } = (await said(await ask('GET', '/v1/trades?limit=1', MEMBER))) as { meta: { cursor: string | null } };
      expect(meta.cursor).not.toBeNull();
      const mine = await ask('GET', `/v1/trades?cursor=${encodeURIComponent(String(meta.cursor))}`, NEIGHBOUR);
      expect(((await said(mine)) as { data?: unknown[] }).data ?? []).toEqual([]);
    },
  ],
  [
    'filters of lists do not reach into other accounts',
    async () => {
      const { accountId, bookId } = room.crowd;
      for (const query of [`accountId=${accountId}`, `bookId=${bookId}`])
        for (const path of ['/v1/pixbooks', '/v1/trades']) {
          const answer = await ask('GET', `${path}?${query}`, NEIGHBOUR);
          const { data = [] } = (await said(answer)) as { data?: unknown[] };
          expect(JSON.stringify(data)).not.toContain(bookId);
        }
    },
  ],
  [
    'the partner of a trade sees the trade, and nothing else of the other’s',
    async () => {
      const { trades, bookId, accountId, packId } = room.crowd;
      expect((await ask('GET', `/v1/trades/${trades.outgoing}`, PARTNER)).status).toBe(200);
      for (const path of [
        `/v1/pixbooks/${bookId}`,
        `/v1/pixbooks/${bookId}/cards`,
        `/v1/accounts/${accountId}`,
        `/v1/pixbooks/${bookId}/packs/${packId}`,
      ])
        expect(await outcome(ask('GET', path, PARTNER))).toEqual(NOT_FOUND);
    },
  ],
  [
    'a trade is not cancelled by naming one’s own book as the one that offers',
    async () => {
      const { trades, neighbour } = room.crowd;
      const own = `?accountId=${neighbour.accountId}&bookId=${neighbour.bookId}`;
      for (const verb of ['cancel', 'accept', 'decline'])
        expect((await outcome(ask('POST', `/v1/trades/${trades.outgoing}/commands/${verb}${own}`, NEIGHBOUR)))[0]).toBe(404);
      expect(await said(await ask('GET', `/v1/trades/${trades.outgoing}`, MEMBER))).toMatchObject({ status: 'offered' });
    },
  ],
  [
    'a member signs with its own identities only, whatever it names',
    async () => {
      const { accountId, identityId, otherCollectionId } = room.crowd;
      const book = { accountId, identityId, collectionId: otherCollectionId };
      expect(await outcome(ask('POST', '/v1/pixbooks', SIBLING, book))).toEqual(FORBIDDEN);
      expect(
        await outcome(ask('POST', `/v1/accounts/${accountId}/identities/${identityId}/commands/rotate-key`, SIBLING)),
      ).toEqual(FORBIDDEN);
    },
  ],
];

const asPerson = (headers: Record<string, string>, path = '/v1/accounts') => fetch(`${real.url}${path}`, { headers });
const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const brokenAuthentication: readonly Case[] = [
  [
    'a token that names its user and says it needs no signature is nobody’s',
    async () => {
      for (const alg of ['none', 'None', 'HS256'])
        for (const end of ['', 'AAAA']) {
          const token = `${base64url({ alg, typ: 'JWT' })}.${base64url({ sub: person.userId, userId: person.userId })}.${end}`;
          expect((await asPerson({ Authorization: `Bearer ${token}` })).status).toBe(401);
        }
    },
  ],
  [
    'a token with another letter, more or less of it, or another signature is nobody’s',
    async () => {
      const { token } = person;
      const changed = (at: number) => `${token.slice(0, at)}${token[at] === 'a' ? 'b' : 'a'}${token.slice(at + 1)}`;
      const [id = ''] = token.split('.');
      const wrong = [
        changed(0),
        changed(5),
        token.slice(0, -1),
        `${token}a`,
        `${id}.`,
        `${id}.AAAA`,
        token.toUpperCase(),
        `${token}.${token}`,
      ];
      expect((await asPerson({ Authorization: `Bearer ${token}` })).status).toBe(200);
      for (const each of wrong.filter((one) => one !== token))
        expect((await asPerson({ Authorization: `Bearer ${each}` })).status).toBe(401);
    },
  ],
  [
    'a token in the address, in the body or in another field is not looked at',
    async () => {
      const { token } = person;
      for (const name of ['token', 'access_token', 'api_key', 'session'])
        expect((await asPerson({}, `/v1/accounts?${name}=${token}`)).status).toBe(401);
      for (const name of ['X-Api-Key', 'X-Auth-Token', 'Proxy-Authorization'])
        expect((await asPerson({ [name]: token })).status).toBe(401);
      expect((await asPerson({ Cookie: `token=${token}; session_token=${token}` })).status).toBe(401);
    },
  ],
  [
    'the id of a session, of a user or of a key is no credential',
    async () => {
      const { data } = (await person.api.get('/v1/sessions')).body as { data: { sessionId: string }[] };
      const wrong = [data[0]?.sessionId ?? '', person.userId, 'null', 'undefined', '', "' or '1'='1"];
      for (const each of wrong) expect((await asPerson({ Authorization: `Bearer ${each}` })).status).toBe(401);
    },
  ],
  [
    'other schemes than Bearer are none',
    async () => {
      const { token } = person;
      for (const scheme of ['Basic', 'Token', 'Digest', 'ApiKey', ''])
        expect((await asPerson({ Authorization: `${scheme} ${token}`.trim() })).status).toBe(401);
    },
  ],
  [
    'who there is cannot be learnt from signing in or up',
    async () => {
      const post = (path: string, body: object, address: string) =>
        real.api.post(`/v1/auth/${path}`, body, { 'x-forwarded-for': address, origin: 'https://ledger.example' });
      const email = `${randomUUID()}@pixpax.example`;
      const account = { email, password: 'correct horse battery', name: 'A collector' };
      const masked = ({ status, text }: { status: number; text: string }) => [
        status,
        text.replaceAll(/"(requestId|traceId|id|email|createdAt|updatedAt)":"[^"]*"/g, ''),
      ];
      const first = masked(await post('sign-up/email', account, '203.0.113.5'));
      expect(masked(await post('sign-up/email', account, '203.0.113.5'))).toEqual(first);
      const wrong = masked(await post('sign-in/email', { ...account, password: 'not this at all' }, '203.0.113.6'));
      expect(masked(await post('sign-in/email', { ...account, email: `x${email}` }, '203.0.113.6'))).toEqual(wrong);
      expect(wrong[0]).toBe(401);
    },
  ],
  [
    'the cookie is for this host alone, never for scripts, and never without encryption',
    async () => {
      const account = { email: `${randomUUID()}@pixpax.example`, password: 'correct horse battery', name: 'A collector' };
      await real.api.post('/v1/auth/sign-up/email', account);
      const answer = await real.api.post('/v1/auth/sign-in/email', account);
      for (const cookie of answer.headers.getSetCookie()) {
        expect(cookie).toMatch(/^__Host-/);
        for (const attribute of ['Secure', 'HttpOnly', 'SameSite=Lax', 'Path=/']) expect(cookie).toContain(attribute);
        expect(cookie).not.toMatch(/domain=/i);
      }
    },
  ],
];

const brokenPropertyLevelAuthorization: readonly Case[] = [
  [
    'nobody gives themselves a role, a plan or a scope by saying so',
    async () => {
      const { accountId, invitation } = room.crowd;
      const accept = `/v1/accounts/${accountId}/invitations/${invitation.invitationId}/commands/accept`;
      for (const [path, body] of [
        ['/v1/accounts', { plan: 'pro' }],
        [accept, { secret: invitation.secret, role: 'owner' }],
        [`/v1/accounts/${accountId}/members`, { userId: 'usr_x', role: 'operator', by: OPERATOR }],
      ] as const)
        expect((await outcome(ask('POST', path, path === accept ? GUEST : OWNER, body)))[0]).toBe(400);
      expect(
        (await outcome(ask('POST', `/v1/accounts/${accountId}/members`, OWNER, { userId: 'usr_x', role: 'operator' })))[0],
      ).toBe(422);
    },
  ],
  [
    'an identity, a key and a drop show nothing that is sealed or private',
    async () => {
      const { accountId, identityId, dropId, collectionId } = room.crowd;
      for (const path of [
        `/v1/accounts/${accountId}/identities/${identityId}`,
        `/v1/drops/${dropId}`,
        `/v1/collections/${collectionId}/drops`,
      ]) {
        const text = await (await ask('GET', path, OWNER)).text();
        expect(text).not.toMatch(/private|sealed|"d":|"seed":"/i);
      }
    },
  ],
  [
    'what is known of a code does not hold the code, nor an invitation in a list its secret',
    async () => {
      const { codeId, code, dropId, accountId, invitation } = room.crowd;
      for (const path of [`/v1/codes/${codeId}`, `/v1/drops/${dropId}/codes`]) {
        const text = await (await ask('GET', path, ISSUER)).text();
        expect(text.replaceAll('-', '')).not.toContain(code.replaceAll('-', ''));
      }
      expect(await (await ask('GET', `/v1/accounts/${accountId}/invitations`, OWNER)).text()).not.toContain(invitation.secret);
    },
  ],
  [
    'a user who changes their profile changes neither their id nor what is verified',
    async () => {
      for (const body of [
        { id: 'usr_operator' },
        { emailVerified: true },
        { role: 'admin' },
        { email: 'operator@pixpax.example' },
      ])
        expect(
          (await person.api.post('/v1/auth/update-user', body, { origin: 'https://ledger.example' })).status,
        ).toBeGreaterThanOrEqual(400);
      const { user } = (await person.api.get('/v1/auth/get-session')).body as { user: Record<string, unknown> };
      expect(user).toMatchObject({ id: person.userId, emailVerified: false });
    },
  ],
];

const unrestrictedResourceConsumption: readonly Case[] = [
  [
    'pages have an end, whatever is asked for',
    async () => {
      for (const limit of ['1000000', '0', '-1', '1e9', 'all', '9'.repeat(50)])
        expect((await outcome(ask('GET', `/v1/pixbooks?limit=${limit}`, OWNER)))[0]).toBe(400);
      expect((await ask('GET', `/v1/pixbooks?limit=${limits.pageRows}`, OWNER)).status).toBe(200);
    },
  ],
  [
    'one request does not order more than a batch',
    async () => {
      const { collectionId, dropId } = room.crowd;
      const body = { collectionId, dropId, count: limits.codesPerBatch + 1 };
      expect((await outcome(ask('POST', '/v1/batches/codes', ISSUER, body)))[0]).toBe(400);
    },
  ],
  [
    'a body is measured before it is understood',
    async () => {
      const { bookId, headEventId } = room.crowd;
      const body = { state: { a: 'x'.repeat(limits.requestBodyBytes) }, baseEventId: headEventId };
      expect((await outcome(ask('POST', `/v1/pixbooks/${bookId}/commands/save`, MEMBER, body)))[0]).toBe(413);
    },
  ],
  [
    'an Accept field of ten thousand ranges is read no further than is of use',
    async () => {
      const accept = Array.from({ length: 1_500 }, (_, i) => `a/${i}`).join(',');
      expect((await outcome(ask('GET', '/v1/accounts', OWNER, undefined, { Accept: accept })))[0]).toBe(406);
    },
  ],
  [
    'every operation but the probes draws on an allowance, and guessing on the strictest',
    async () => {
      const unlimited = (await operationsOf()).filter((each) => rowOf(each)?.limit === 'probe').map(({ id }) => id);
      expect(unlimited.sort()).toEqual(['readHealth', 'readMetrics', 'readReadiness']);
      expect([permissions.claimCode.limit, permissions.acceptInvitation.limit, permissions.signInPost.limit]).toEqual([
        'claim',
        'claim',
        'sign-in',
      ]);
    },
  ],
];

const brokenFunctionLevelAuthorization: readonly Case[] = [
  [
    'what is for operators is for nobody else, with whatever key',
    async () => {
      const { accountId } = room.crowd;
      for (const as of [OWNER, MEMBER, VIEWER, NEIGHBOUR, ISSUER, keyOf(OWNER, ...scopes)])
        for (const [method, path] of [
          ['GET', '/v1/admin/runs'],
          ['GET', '/v1/admin/audit-trail'],
          ['POST', '/v1/admin/runs'],
          ['POST', `/v1/admin/accounts/${accountId}/commands/suspend`],
          ['POST', `/v1/admin/accounts/${accountId}/commands/change-plan`],
        ] as const)
          expect([400, 403]).toContain(
            (await outcome(ask(method, path, as, method === 'POST' ? { kind: 'drift' } : undefined)))[0],
          );
      expect(await outcome(ask('POST', '/v1/admin/runs', OWNER, { kind: 'rebuild' }))).toEqual(FORBIDDEN);
    },
  ],
  [
    'another method, another case and another ending do not lead past it',
    async () => {
      for (const path of [
        '/V1/ADMIN/runs',
        '/v1/Admin/runs',
        '/v1/admin/runs/',
        '/v1/admin//runs',
        '/v1/admin/runs.json',
        '/v1/admin',
      ])
        expect((await outcome(ask('GET', path, OWNER)))[0]).toBe(404);
      for (const method of ['PUT', 'DELETE', 'PATCH']) expect((await outcome(ask(method, '/v1/admin/runs', OWNER)))[0]).toBe(405);
      expect((await ask('HEAD', '/v1/admin/runs', OWNER)).status).toBe(403);
    },
  ],
  [
    'collectors make no cards, codes, drops or collections',
    async () => {
      const { bookId, collectionId, dropId } = room.crowd;
      const mint = { cardIds: ['fox'], reason: 'for me' };
      expect(await outcome(ask('POST', `/v1/pixbooks/${bookId}/commands/add-cards`, OWNER, mint))).toEqual(FORBIDDEN);
      expect(await outcome(ask('POST', '/v1/batches/codes', OWNER, { collectionId, dropId, count: 1 }))).toEqual(FORBIDDEN);
      expect(await outcome(ask('POST', `/v1/drops/${dropId}/commands/close`, OWNER))).toEqual(FORBIDDEN);
      expect(await outcome(ask('POST', `/v1/collections/${collectionId}/drops`, OWNER, { title: 'Mine' }))).toEqual(FORBIDDEN);
    },
  ],
  [
    'a key makes no keys and ends no sessions, whatever its scopes',
    async () => {
      const key = keyOf(OWNER, ...scopes);
      const body = { name: 'Another', scopes: ['admin:write'] };
      expect(await outcome(ask('POST', '/v1/api-keys', key, body))).toEqual([403, 'person-required']);
      expect(await outcome(ask('GET', '/v1/sessions', key))).toEqual([403, 'person-required']);
    },
  ],
];

const unrestrictedAccessToSensitiveFlows: readonly Case[] = [
  [
    'a drop gives a book one pack, however often and by whomever it is asked',
    async () => {
      const { world, bookId, freshDropId } = room.crowd;
      const copy = await world.copy();
      const take = (as: string, key: string) =>
        copy.ask('POST', `/v1/pixbooks/${bookId}/commands/issue-pack`, { as, key, body: { dropId: freshDropId } });
      const statuses = await Promise.all(
        [take(MEMBER, 'a'), take(OWNER, 'b'), take(MEMBER, 'c')].map(async (each) => (await each).status),
      );
      expect(statuses.sort()).toEqual([201, 409, 409]);
    },
  ],
  [
    'guessing codes tells a guess that is a code from none neither by words nor by time',
    async () => {
      const { world, bookId } = room.crowd;
      const seen = await Promise.all(
        ['ABCD-EFGH-JKMN', '0000-0000-0000', '!', ''].map(async (code) => {
          const copy = await world.copy();
          const fromMs = copy.parts.clock.now();
          const answer = await copy.ask('POST', '/v1/codes/commands/claim', { as: MEMBER, key: 'guess', body: { code, bookId } });
          const { code: kind, detail } = await said(answer);
          expect(copy.parts.clock.now() - fromMs).toBeGreaterThanOrEqual(limits.codeRefusalMs);
          return [answer.status, kind, detail];
        }),
      );
      for (const each of seen) expect(each).toEqual(seen[0]);
    },
  ],
  [
    'a code is worth one pack to the first, and nothing to whoever is as quick',
    async () => {
      const { world, code, bookId, neighbour } = room.crowd;
      const copy = await world.copy();
      const claim = (as: string, book: string) =>
        copy.ask('POST', '/v1/codes/commands/claim', { as, key: as, body: { code, bookId: book } });
      const statuses = await Promise.all(
        [claim(MEMBER, bookId), claim(NEIGHBOUR, neighbour.bookId)].map(async (each) => (await each).status),
      );
      expect(statuses.sort()).toEqual([201, 409]);
    },
  ],
  [
    'the codes of a batch are shown once, to one of those who ask at the same time',
    async () => {
      const { world, batchId } = room.crowd;
      const copy = await world.copy();
      const show = (key: string) => copy.ask('POST', `/v1/batches/${batchId}/commands/show-codes`, { as: ISSUER, key });
      const statuses = await Promise.all([show('a'), show('b'), show('a')].map(async (each) => (await each).status));
      expect(statuses.sort()).toEqual([200, 409, 409]);
    },
  ],
];

const serverSideRequestForgery: readonly Case[] = [
  [
    'no operation takes an address to go to',
    async () => {
      const document = JSON.stringify(await openApiDocument());
      expect(document).not.toMatch(/"format":"(uri|url|iri|hostname|ipv4|ipv6)"/);
      const names = [...document.matchAll(/"([A-Za-z]*(?:Url|Uri|Href|Webhook|Callback|Endpoint|Host))":\{/g)].map(
        ([, name]) => name,
      );
      expect(names).toEqual([]);
    },
  ],
  [
    'addresses in texts and pictures stay texts and pictures: nothing is fetched',
    async () => {
      const fetched = vi.spyOn(globalThis, 'fetch').mockRejectedValue(new Error('nobody asked for this'));
      try {
        const { bookId, headEventId } = room.crowd;
        const target = 'http://169.254.169.254/latest/meta-data/';
        await ask('POST', `/v1/pixbooks/${bookId}/commands/save`, MEMBER, {
          state: { image: target, $ref: target },
          baseEventId: headEventId,
        });
        const svg = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"><image xlink:href="${target}"/></svg>`;
        const digest = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(svg))).toString('hex');
        const put = await room.crowd.world.ask('PUT', `/v1/art/sha256:${digest}`, {
          as: OPERATOR,
          body: svg,
          headers: { 'Content-Type': 'image/svg+xml' },
        });
        expect(put.status).toBe(201);
        const shown = await ask('GET', `/v1/art/sha256:${digest}`, null);
        expect(shown.headers.get('content-security-policy')).toContain("default-src 'none'");
        expect(shown.headers.get('content-security-policy')).toContain('sandbox');
        expect(fetched).not.toHaveBeenCalled();
      } finally {
        fetched.mockRestore();
      }
    },
  ],
  [
    'signing in leads to no other page than ours',
    async () => {
      for (const path of ['/v1/auth/sign-in/social', '/v1/auth/sign-in/oauth2', '/v1/auth/callback/google', '/v1/auth/error'])
        expect((await real.api.get(`${path}?callbackURL=http://evil.example`)).status).toBe(404);
      const account = { email: 'nobody@pixpax.example', password: 'correct horse battery', callbackURL: 'http://evil.example/' };
      const answer = await real.api.post('/v1/auth/sign-in/email', account, { origin: 'https://ledger.example' });
      expect([401, 403, 429]).toContain(answer.status);
      expect(answer.headers.get('location')).toBeNull();
    },
  ],
];

const securityMisconfiguration: readonly Case[] = [
  [
    'a fault of ours tells nothing but that it was one',
    async () => {
      const secret = 'select password from canary at /srv/app/secret.ts:1';
      const { ask: of } = await makeWorld(({ queries }) => ({
        queries: { ...queries, memberships: () => Promise.reject(new Error(secret)) },
      }));
      const answer = await of('GET', '/v1/accounts');
      const text = await answer.text();
      expect([answer.status, (JSON.parse(text) as { code: string }).code]).toEqual([500, 'internal-error']);
      expect(text).not.toMatch(/select|canary|srv|\.ts|stack|at /);
    },
  ],
  [
    'TRACE shows nothing back, and no answer tells which software this is',
    async () => {
      const answer = await room.send('TRACE', '/', { headers: { 'X-Canary': 'canary' } });
      expect([answer.status, codeIn(answer)]).toEqual([405, 'method-not-allowed']);
      for (const path of ['/', '/health', '/nothing', '/v1/accounts']) {
        const { fields, body } = await room.send('GET', path);
        expect(Object.keys(fields).filter((name) => /^(server|x-powered-by|via)$/.test(name))).toEqual([]);
        expect(body).not.toMatch(/hono|node\.js|express|postgres \d/i);
      }
    },
  ],
  [
    'nothing lies about that servers and tools leave about',
    async () => {
      for (const path of [
        '/.env',
        '/.git/HEAD',
        '/server-status',
        '/actuator',
        '/debug/pprof',
        '/graphql',
        '/swagger.json',
        '/phpinfo.php',
        '/backup.sql',
        '/robots.txt',
        '/node_modules/hono/package.json',
      ])
        expect((await room.send('GET', path)).status).toBe(404);
    },
  ],
  [
    'metrics are for those who were given them',
    async () => {
      expect((await asPerson({}, '/metrics')).status).toBe(401);
      expect((await asPerson({ Authorization: `Bearer ${person.token}` }, '/metrics')).status).toBe(403);
      expect((await asPerson({ Authorization: `Bearer ${'m'.repeat(39)}n` }, '/metrics')).status).toBe(401);
      const scraped = await asPerson({ Authorization: `Bearer ${'m'.repeat(40)}` }, '/metrics');
      expect(scraped.status).toBe(200);
      expect(await scraped.text()).not.toMatch(/acc_[0-7]|usr_[0-7]|bk_[0-7]|@/);
    },
  ],
];

const concrete = (path: string): string => path.replaceAll(/\{\w+\}/g, 'x');

const improperInventoryManagement: readonly Case[] = [
  [
    'the router knows no route that the description does not have, nor the description one that the router lacks',
    async () => {
      const described = new Set(
        (await operationsOf()).filter((each) => !isSignInSystem(each)).map(({ method, path }) => `${method} ${path}`),
      );
      const routed = routes
        .filter(({ path }) => !path.startsWith('/v1/auth/'))
        .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
      expect([...described].sort()).toEqual(routed.sort());
    },
  ],
  [
    'no path answers to a method that the description does not have for it',
    async () => {
      const operations = (await operationsOf()).filter((each) => !isSignInSystem(each));
      for (const path of new Set(operations.map((each) => each.path))) {
        const known = operations.filter((each) => each.path === path).map((each) => each.method as string);
        // 404 where the path could be that of another route, with a member for which there is nothing.
        for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((each) => !known.includes(each)))
          expect([404, 405]).toContain((await outcome(ask(method, concrete(path), OWNER)))[0]);
      }
    },
  ],
  [
    'no other version, no staging and no internal API answers',
    async () => {
      for (const path of [
        '/v0/accounts',
        '/v2/accounts',
        '/api/v1/accounts',
        '/internal/accounts',
        '/v1beta/accounts',
        '/accounts',
        '/v1/admin/users',
        '/v1/users',
      ])
        expect((await outcome(ask('GET', path, OPERATOR)))[0]).toBe(404);
    },
  ],
  [
    'of the sign-in system nothing is served that was not chosen',
    async () => {
      const others = [
        ...['list-sessions', 'revoke-session', 'delete-user', 'change-email', 'set-password', 'request-password-reset'],
        ...['reset-password', 'send-verification-email', 'verify-email', 'sign-in/social', 'link-social', 'list-accounts'],
        ...['api-key/create', 'api-key/list', 'api-key/verify', 'api-key/delete', 'admin/list-users', 'admin/impersonate-user'],
        ...['error', 'reference', 'token', 'jwks', 'get-access-token', 'refresh-token', 'account-info', 'unlink-account'],
      ];
      for (const path of others)
        for (const answer of [
          await person.api.get(`/v1/auth/${path}`),
          await person.api.post(`/v1/auth/${path}`, {}, { origin: 'https://ledger.example' }),
        ])
          expect([path, answer.status]).toEqual([path, 404]);
    },
  ],
];

const unsafeConsumption: readonly Case[] = [
  [
    'a receipt that the store has changed is built on by nobody',
    async () => {
      const { world, bookId } = room.crowd;
      const copy = await world.copy();
      const key =
        [...copy.objects.keys()]
          .filter((each) => each.includes(bookId) && each.includes('/events/'))
          .sort()
          .at(-1) ?? '';
      const bytes = Uint8Array.from(copy.objects.get(key) ?? []);
      bytes[bytes.indexOf(0x3a) + 2] = 0x58;
      copy.objects.set(key, bytes);
      copy.readModel.wipe(); // what was seen before the change is forgotten
      const objects = copy.objects.size;
      const path = `/v1/pixbooks/${bookId}/commands/save?accountId=${room.crowd.accountId}`;
      const body = { state: {}, baseEventId: room.crowd.headEventId };
      expect(await outcome(copy.ask('POST', path, { as: MEMBER, key: 'over-it', body }))).toEqual([503, 'stream-stopped']);
      expect(copy.objects.size).toBe(objects);
    },
  ],
  [
    'a picture that the store has changed is not shown',
    async () => {
      const { world, art } = room.crowd;
      const copy = await world.copy();
      const key = [...copy.objects.keys()].find((each) => each.includes(art.hash.slice(7))) ?? '';
      copy.objects.set(key, Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'));
      const answer = await copy.ask('GET', `/v1/art/${art.hash}`, { as: null });
      expect([answer.status, (await said(answer)).code]).toEqual([500, 'art-corrupt']);
    },
  ],
  [
    'a signer that signs something else is not believed: nothing is written',
    async () => {
      const { parts, readModel, objects } = await makeWorld();
      const { store, clock, ledger } = parts;
      const signer = { ...memorySigner(), sign: () => Promise.resolve(Buffer.alloc(64, 1)) };
      const ports = {
        store,
        signer,
        sealer: memorySealer(),
        readModel,
        clock,
        notify: () => undefined,
        trust: ledger.fingerprint,
      };
      const { commands } = openLedger(ports);
      const before = objects.size;
      const lied = await makeWorld(() => ({ commands }));
      expect((await lied.ask('POST', '/v1/accounts', { as: OWNER, key: 'forged' })).status).toBeGreaterThanOrEqual(500);
      expect(objects.size).toBe(before);
    },
  ],
];

const table: readonly (readonly [string, readonly Case[]])[] = [
  ['API1 broken object level authorization', brokenObjectLevelAuthorization],
  ['API2 broken authentication', brokenAuthentication],
  ['API3 broken object property level authorization', brokenPropertyLevelAuthorization],
  ['API4 unrestricted resource consumption', unrestrictedResourceConsumption],
  ['API5 broken function level authorization', brokenFunctionLevelAuthorization],
  ['API6 unrestricted access to sensitive business flows', unrestrictedAccessToSensitiveFlows],
  ['API7 server side request forgery', serverSideRequestForgery],
  ['API8 security misconfiguration', securityMisconfiguration],
  ['API9 improper inventory management', improperInventoryManagement],
  ['API10 unsafe consumption of APIs', unsafeConsumption],
];

describe.each(table)('%s', (_, cases) => {
  it.each(cases)('%s', async (_sentence, attempt) => {
    await attempt();
  });
});

it('has at least three attacks of each of the ten', () => {
  expect(table.map(([, cases]) => cases.length >= 3)).toEqual(Array(10).fill(true));
});
