import { Hono } from 'hono';
import { uniqueSymbol } from 'hono-openapi';
import { permissionOf } from '../access/permission.ts';
import {
  codeCommand,
  codeReader,
  collectionCommand,
  collectionReader,
  dropCommand,
  dropReader,
  issuer,
  issuerReader,
} from './catalogue-need.ts';
import { accountCommand, bookCommand, command } from './command-need.ts';
import { describeApp } from './describe-app.ts';
import type { SchemaComponents } from './json-schema.ts';
import { type DescribedNeed, anyone } from './need.ts';
import { operationSpec } from './operation-spec.ts';
import { metricsReader, operator, operatorCommand, operatorReader } from './operator-need.ts';
import { preflightFields } from './origin.ts';
import type { HttpParts } from './parts.ts';
import { person } from './person-need.ts';
import { internalError, notFound, problemAnswer } from './problem.ts';
import { accountKeeper, accountOwner, accountReader, bookReader, pixbookReader, receiptReader, session } from './reader-need.ts';
import { requestContextOf } from './request-context.ts';
import * as account from './route/accounts.ts';
import * as adminAccount from './route/admin-accounts.ts';
import * as adminLimit from './route/admin-limits.ts';
import * as adminRun from './route/admin-runs.ts';
import * as apiKey from './route/api-keys.ts';
import * as art from './route/art.ts';
import * as auditTrail from './route/audit-trail.ts';
import * as batch from './route/batches.ts';
import * as card from './route/cards.ts';
import * as code from './route/codes.ts';
import * as collection from './route/collections.ts';
import * as drop from './route/drops.ts';
import * as identity from './route/identities.ts';
import * as invitation from './route/invitations.ts';
import * as operations from './route/operations.ts';
import * as pack from './route/packs.ts';
import * as pages from './route/pages.ts';
import * as pixbook from './route/pixbooks.ts';
import * as receipt from './route/receipts.ts';
import * as reference from './route/reference.ts';
import * as sessions from './route/sessions.ts';
import * as signIn from './route/sign-in.ts';
import * as trade from './route/trades.ts';
import * as trust from './route/trust.ts';
import * as usage from './route/usage.ts';
import { type Route, route } from './route.ts';
import { type Service, openService } from './service.ts';
import { type HttpContext, clientAddressOf, inShell, responseOf } from './shell.ts';
import { tradeCommand, tradeReader } from './trade-need.ts';

/** All routes: method, path, what it needs, what it does (with its description). */
export const routes: readonly Route[] = [
  route('POST', '/v1/accounts', command, account.createAccount),
  route('GET', '/v1/accounts', session, account.listAccounts),
  route('GET', '/v1/accounts/:accountId', accountReader, account.readAccount),
  route('GET', '/v1/accounts/:accountId/receipts', accountReader, receipt.listAccountReceipts),
  route('GET', '/v1/accounts/:accountId/verify', accountReader, receipt.verifyAccount),
  route('POST', '/v1/accounts/:accountId/commands/close', accountCommand, account.closeAccount),
  route('GET', '/v1/accounts/:accountId/members', accountReader, account.listMembers),
  route('POST', '/v1/accounts/:accountId/members', accountCommand, account.addMember),
  route('POST', '/v1/accounts/:accountId/members/:userId/commands/change-role', accountCommand, account.changeMemberRole),
  route('POST', '/v1/accounts/:accountId/members/:userId/commands/remove', accountCommand, account.removeMember),
  route('GET', '/v1/accounts/:accountId/invitations', accountKeeper, invitation.listInvitations),
  route('POST', '/v1/accounts/:accountId/invitations', accountCommand, invitation.inviteMember),
  route('POST', '/v1/accounts/:accountId/invitations/:invitationId/commands/accept', accountCommand, invitation.acceptInvitation),
  route(
    'POST',
    '/v1/accounts/:accountId/invitations/:invitationId/commands/withdraw',
    accountCommand,
    invitation.withdrawInvitation,
  ),
  route('GET', '/v1/accounts/:accountId/identities', accountReader, identity.listIdentities),
  route('POST', '/v1/accounts/:accountId/identities', accountCommand, identity.createIdentity),
  route('GET', '/v1/accounts/:accountId/identities/:identityId', accountReader, identity.readIdentity),
  route('POST', '/v1/accounts/:accountId/identities/:identityId/commands/rotate-key', accountCommand, identity.rotateKey),
  route('POST', '/v1/accounts/:accountId/identities/:identityId/commands/revoke', accountCommand, identity.revokeIdentity),

  route('POST', '/v1/pixbooks', command, pixbook.createPixbook),
  route('GET', '/v1/pixbooks', session, pixbook.listPixbooks),
  route('GET', '/v1/pixbooks/:bookId', pixbookReader, pixbook.readPixbook),
  route('GET', '/v1/pixbooks/:bookId/receipts', bookReader, receipt.listPixbookReceipts),
  route('GET', '/v1/pixbooks/:bookId/verify', bookReader, receipt.verifyPixbook),
  route('POST', '/v1/pixbooks/:bookId/commands/save', bookCommand, pixbook.savePixbook),
  route('POST', '/v1/pixbooks/:bookId/commands/close', bookCommand, pixbook.closePixbook),

  route('GET', '/v1/pixbooks/:bookId/packs', bookReader, pack.listPacks),
  route('GET', '/v1/pixbooks/:bookId/packs/:packId', bookReader, pack.readPack),
  route('GET', '/v1/pixbooks/:bookId/packs/:packId/certificate', bookReader, pack.readPackCertificate),
  route('POST', '/v1/pixbooks/:bookId/commands/issue-pack', bookCommand, pack.issuePack),
  route('POST', '/v1/pixbooks/:bookId/commands/open-pack', bookCommand, pack.openPack),
  route('GET', '/v1/pixbooks/:bookId/cards', bookReader, card.listCards),
  route('GET', '/v1/pixbooks/:bookId/completion', bookReader, card.readCompletion),
  route('POST', '/v1/pixbooks/:bookId/commands/add-cards', bookCommand, card.addCards),
  route('POST', '/v1/pixbooks/:bookId/commands/remove-cards', bookCommand, card.removeCards),

  route('POST', '/v1/trades', command, trade.offerTrade),
  route('GET', '/v1/trades', session, trade.listTrades),
  route('GET', '/v1/trades/:tradeId', tradeReader, trade.readTrade),
  route('GET', '/v1/trades/:tradeId/certificate', tradeReader, trade.readTradeCertificate),
  route('POST', '/v1/trades/:tradeId/commands/accept', tradeCommand, trade.acceptTrade),
  route('POST', '/v1/trades/:tradeId/commands/decline', tradeCommand, trade.declineTrade),
  route('POST', '/v1/trades/:tradeId/commands/cancel', tradeCommand, trade.cancelTrade),

  route('POST', '/v1/collections', command, collection.createCollection),
  route('GET', '/v1/collections', session, collection.listCollections),
  route('GET', '/v1/collections/:collectionId', collectionReader, collection.readCollection),
  route('GET', '/v1/collections/:collectionId/receipts', collectionReader, receipt.listCollectionReceipts),
  route('GET', '/v1/collections/:collectionId/verify', collectionReader, receipt.verifyCollection),
  route('POST', '/v1/collections/:collectionId/commands/publish', collectionCommand, collection.publishVersion),
  route('POST', '/v1/collections/:collectionId/commands/retire-series', collectionCommand, collection.retireSeries),
  route('GET', '/v1/collections/:collectionId/drops', collectionReader, drop.listDrops),
  route('POST', '/v1/collections/:collectionId/drops', collectionCommand, drop.openDrop),
  route('GET', '/v1/drops/:dropId', dropReader, drop.readDrop),
  route('POST', '/v1/drops/:dropId/commands/close', dropCommand, drop.closeDrop),
  route('PUT', '/v1/art/:artHash', issuer, art.putArt),
  route('GET', '/v1/art/:artHash', anyone, art.readArt),

  route('POST', '/v1/codes/commands/claim', command, code.claimCode),
  route('GET', '/v1/drops/:dropId/codes', issuerReader, code.listCodes),
  route('GET', '/v1/codes/:codeId', codeReader, code.readCode),
  route('POST', '/v1/codes/:codeId/commands/revoke', codeCommand, code.revokeCode),
  route('POST', '/v1/batches/packs', command, batch.orderPacks),
  route('POST', '/v1/batches/codes', command, batch.orderCodes),
  route('GET', '/v1/batches/:batchId', session, batch.readBatch),
  route('POST', '/v1/batches/:batchId/commands/show-codes', command, batch.showCodes),

  route('GET', '/v1/accounts/:accountId/usage', accountOwner, usage.readUsage),

  route('POST', '/v1/admin/accounts/:accountId/commands/suspend', operatorCommand, adminAccount.suspendAccount),
  route('POST', '/v1/admin/accounts/:accountId/commands/resume', operatorCommand, adminAccount.resumeAccount),
  route('POST', '/v1/admin/accounts/:accountId/commands/change-plan', operatorCommand, adminAccount.changePlan),
  route('GET', '/v1/admin/accounts/:accountId/allowances', operatorReader, adminLimit.readAllowances),
  route('POST', '/v1/admin/accounts/:accountId/commands/reset-allowances', operator, adminLimit.resetAllowances),
  route('GET', '/v1/admin/runs', operatorReader, adminRun.listRuns),
  route('POST', '/v1/admin/runs', operator, adminRun.startRun),
  route('GET', '/v1/admin/runs/:runId', operatorReader, adminRun.readRun),
  route('GET', '/v1/admin/audit-trail', operatorReader, auditTrail.listAuditTrail),

  route('GET', '/v1/receipts/:eventId', receiptReader, receipt.readReceipt),
  route('GET', '/v1/keys/:publicKeyId', anyone, trust.readKey),
  route('GET', '/.well-known/pixpax-ledger.json', anyone, trust.readLedgerIdentity),

  route('GET', '/v1/sessions', person, sessions.listSessions),
  route('POST', '/v1/sessions/:sessionId/commands/revoke', person, sessions.revokeSession),
  route('GET', '/v1/api-keys', person, apiKey.listApiKeys),
  route('POST', '/v1/api-keys', person, apiKey.createApiKey),
  route('POST', '/v1/api-keys/:apiKeyId/commands/revoke', person, apiKey.revokeApiKey),
  route('POST', '/v1/auth/*', anyone, signIn.signInPost),
  route('GET', '/v1/auth/*', anyone, signIn.signInGet),

  route('GET', '/health', anyone, operations.readHealth),
  route('GET', '/health/ready', anyone, operations.readReadiness),
  route('GET', '/metrics', metricsReader, operations.readMetrics),
  route('GET', '/', anyone, pages.readHome),
  route('GET', '/sign-in', anyone, pages.readSignInPage),
  route('GET', '/sign-in/:script', anyone, pages.readPageScript),
  route('GET', '/docs', anyone, reference.readReference),
  route('GET', '/docs/reference.js', anyone, reference.readReferenceScript),
  route('GET', '/openapi.json', anyone, pages.readOpenApiJson),
  route('GET', '/openapi.yaml', anyone, pages.readOpenApiYaml),
  route('GET', '/problems', anyone, pages.readProblems),
  route('GET', '/problems/:code', anyone, pages.readProblem),
];

/** All needs there are. */
const needs: ReadonlySet<DescribedNeed | undefined> = new Set([
  ...[anyone, person, session, command, accountCommand, bookCommand, accountReader, accountKeeper, bookReader, receiptReader],
  ...[pixbookReader, tradeReader, tradeCommand, collectionReader, collectionCommand, dropReader, dropCommand],
  ...[issuer, issuerReader, codeReader, codeCommand],
  ...[operator, operatorReader, operatorCommand, accountOwner, metricsReader],
]);

type App = Hono<{ Bindings: NonNullable<HttpContext['env']> }>;

/**
 * The HTTP service over its parts. Throws TypeError when a route declares no need that we know, or its operation has no line in the table of
 * permissions: what nobody declared, nobody may use.
 */
export const createApp = (parts: HttpParts, table: readonly Route[] = routes): App => {
  for (const { method, path, need, operation } of table)
    if (!needs.has(need) || permissionOf(operation.id) === null)
      throw new TypeError(`${method} ${path} does not say what it needs`);
  const app: App = new Hono();
  const schemas: SchemaComponents = {};
  const service = openService(parts, () => describeApp(app, table, schemas));
  for (const each of table) {
    const { method, path, answer } = each;
    const handler = inShell(service, path, (c, standings) =>
      answer(service, {
        request: c.req.raw,
        param: (name) => c.req.param(name) ?? '',
        clientAddress: clientAddressOf(c, parts.config.trustedProxies),
        standings,
      }),
    );
    // A getter, for most processes are never asked for their description.
    const described = {
      get spec() {
        return operationSpec(each, schemas);
      },
    };
    app.on(method, path, Object.assign(handler, { [uniqueSymbol]: described }));
  }
  app.notFound(unknownRoute(app, service, table));
  app.onError((fault, c) => {
    // The shell answers for everything it runs; what arrives here is its own bug.
    parts.log.error({ err: fault }, 'the shell failed');
    const context = requestContextOf(null, null);
    return responseOf(problemAnswer(internalError, c.req.path, context), context, null, service);
  });
  return app;
};

/** No route: 404; a path with other methods: 405, or for OPTIONS what those are. */
const unknownRoute = (app: App, service: Service, table: readonly Route[]) => {
  const methods = [...new Set(table.map(({ method }) => method))];
  return inShell(service, 'unknown', async (c) => {
    const there = methods.filter((method) => app.router.match(method, c.req.path)[0].length > 0);
    if (there.length === 0) return notFound;
    const allow = [...there, ...(there.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
    if (c.req.method !== 'OPTIONS')
      return { code: 'method-not-allowed', detail: `this resource takes ${allow}`, headers: { Allow: allow } };
    const origin = c.req.header('origin') ?? null;
    return { status: 204, headers: { Allow: allow, ...preflightFields(origin, service.origins, allow) }, body: null };
  });
};
