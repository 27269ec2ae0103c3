-- PixPax receipt ledger: what Postgres holds.
--
-- Nothing here is the truth. The schema `projection` is made from the receipts alone and may be dropped at any time; `ops` holds work that
-- is still to be done and can be found again by replay; of it `audit_trail` and `usage` need a backup. So does the schema `auth` (users,
-- sessions), which better-auth migrates by itself.
--
-- Every value in `projection` comes from a receipt: no defaults, no now(), no sequences, so that a rebuild gives the same rows.
-- No foreign keys and no uniqueness across streams: streams are applied in any order, and one stream's rows must never wait for another's.

CREATE SCHEMA projection;
CREATE SCHEMA ops;

-- Which projector made the rows (PROJECTOR_VERSION in src/stream/event.ts). Raised with every change of this file or of the rows made from
-- the same receipts: a program of another version refuses the schema and asks for a rebuild, which makes one of its own.
COMMENT ON SCHEMA projection IS 'projector version 4';

-- Tenants. One row per account stream.
CREATE TABLE projection.accounts (
  account_id text COLLATE "C" PRIMARY KEY,
  status     text NOT NULL CHECK (status IN ('open', 'suspended', 'closed')),
  plan       text NOT NULL CHECK (plan IN ('free', 'pro')),
  created_at timestamptz(3) NOT NULL,
  closed_at  timestamptz(3),
  suspended_at timestamptz(3), -- while it is
  suspension_reason text
);

-- Who belongs to an account, and as what. Removed members have no row.
CREATE TABLE projection.account_members (
  account_id text COLLATE "C" NOT NULL,
  user_id    text COLLATE "C" NOT NULL,
  role       text NOT NULL CHECK (role IN ('owner', 'member', 'viewer', 'operator', 'issuer')),
  since      timestamptz(3) NOT NULL,
  PRIMARY KEY (account_id, user_id)
);
CREATE INDEX account_members_by_user ON projection.account_members (user_id, account_id);

-- Who may become a member. Accepted and withdrawn invitations have no row; the secret that accepts one is not in the database.
CREATE TABLE projection.account_invitations (
  invitation_id text COLLATE "C" PRIMARY KEY,
  account_id    text COLLATE "C" NOT NULL,
  role          text NOT NULL CHECK (role IN ('owner', 'member', 'viewer', 'operator', 'issuer')),
  invited_by    text COLLATE "C" NOT NULL,
  created_at    timestamptz(3) NOT NULL,
  expires_at    timestamptz(3) NOT NULL
);
CREATE INDEX account_invitations_by_account ON projection.account_invitations (account_id, invitation_id);

-- Collectors: an identity with its current key. `public_key` is standard base64 of the SPKI DER.
CREATE TABLE projection.identities (
  identity_id    text COLLATE "C" PRIMARY KEY,
  account_id     text COLLATE "C" NOT NULL,
  status         text NOT NULL CHECK (status IN ('active', 'revoked')),
  controller     text COLLATE "C",
  public_key_id  text COLLATE "C" NOT NULL,
  public_key     text NOT NULL,
  key_generation integer NOT NULL,
  created_at     timestamptz(3) NOT NULL,
  revoked_at     timestamptz(3)
);
CREATE INDEX identities_by_account ON projection.identities (account_id, identity_id);

-- Every key an identity ever had, with the receipts that introduced and ended it: the key history of receipt.md §6.
CREATE TABLE projection.identity_keys (
  identity_id    text COLLATE "C" NOT NULL,
  key_generation integer NOT NULL,
  account_id     text COLLATE "C" NOT NULL,
  public_key_id  text COLLATE "C" NOT NULL,
  public_key     text NOT NULL,
  from_position  bigint NOT NULL,
  valid_from     timestamptz(3) NOT NULL,
  until_position bigint,
  valid_until    timestamptz(3),
  PRIMARY KEY (identity_id, key_generation)
);
CREATE INDEX identity_keys_by_key ON projection.identity_keys (public_key_id);

-- Pixbooks. `state` is what the client saved last, as it was (type json keeps the text); `state_event_id` the save it came with.
CREATE TABLE projection.pixbooks (
  book_id        text COLLATE "C" PRIMARY KEY,
  account_id     text COLLATE "C" NOT NULL,
  identity_id    text COLLATE "C" NOT NULL,
  collection_id  text COLLATE "C" NOT NULL,
  generation     integer NOT NULL,
  status         text NOT NULL CHECK (status IN ('open', 'closed')),
  state          json,
  state_event_id text COLLATE "C",
  created_at     timestamptz(3) NOT NULL,
  saved_at       timestamptz(3),
  closed_at      timestamptz(3)
) WITH (fillfactor = 70); -- as for the heads: each save rewrites the row, and with room in its page no index is touched
CREATE INDEX pixbooks_by_account ON projection.pixbooks (account_id, book_id);
CREATE INDEX pixbooks_by_identity ON projection.pixbooks (identity_id, collection_id, generation);

-- The last receipt of each stream that is applied here. A receipt is applied by moving the head from its predecessor to it, in the
-- transaction that writes its rows: that is what makes applying twice, or out of order, impossible.
CREATE TABLE projection.pixbook_ledger_heads (
  book_id    text COLLATE "C" PRIMARY KEY,
  account_id text COLLATE "C" NOT NULL,
  position   bigint NOT NULL,
  event_id   text COLLATE "C" NOT NULL,
  hash       text NOT NULL,
  created_at timestamptz(3) NOT NULL
) WITH (fillfactor = 70);
CREATE TABLE projection.account_ledger_heads (
  account_id text COLLATE "C" PRIMARY KEY,
  position   bigint NOT NULL,
  event_id   text COLLATE "C" NOT NULL,
  hash       text NOT NULL,
  created_at timestamptz(3) NOT NULL
) WITH (fillfactor = 70);
CREATE TABLE projection.collection_ledger_heads (
  collection_id text COLLATE "C" PRIMARY KEY,
  position      bigint NOT NULL,
  event_id      text COLLATE "C" NOT NULL,
  hash          text NOT NULL,
  created_at    timestamptz(3) NOT NULL
) WITH (fillfactor = 70);
CREATE TABLE projection.code_ledger_heads (
  code_id    text COLLATE "C" PRIMARY KEY,
  position   bigint NOT NULL,
  event_id   text COLLATE "C" NOT NULL,
  hash       text NOT NULL,
  created_at timestamptz(3) NOT NULL
) WITH (fillfactor = 70);

-- Published collections: one row a collection, and one a version with its catalogue as it was published (type json keeps the text).
CREATE TABLE projection.collections (
  collection_id text COLLATE "C" PRIMARY KEY,
  version       integer NOT NULL,
  title         text NOT NULL,
  published_at  timestamptz(3) NOT NULL,
  updated_at    timestamptz(3) NOT NULL
);
CREATE TABLE projection.collection_versions (
  collection_id text COLLATE "C" NOT NULL,
  version       integer NOT NULL,
  title         text NOT NULL,
  series        json NOT NULL,
  cards         json NOT NULL,
  event_id      text COLLATE "C" NOT NULL,
  published_at  timestamptz(3) NOT NULL,
  PRIMARY KEY (collection_id, version)
);
CREATE TABLE projection.retired_series (
  collection_id text COLLATE "C" NOT NULL,
  series_id     text COLLATE "C" NOT NULL,
  retired_at    timestamptz(3) NOT NULL,
  PRIMARY KEY (collection_id, series_id)
);

-- Issuance windows. `sealed_seed` is of use to the sealer alone; `seed` is public once the drop is closed.
CREATE TABLE projection.drops (
  drop_id       text COLLATE "C" PRIMARY KEY,
  collection_id text COLLATE "C" NOT NULL,
  title         text NOT NULL,
  status        text NOT NULL CHECK (status IN ('open', 'closed')),
  pack_size     integer NOT NULL,
  seed_hash     text NOT NULL,
  sealed_seed   text NOT NULL,
  seed          text,
  opened_at     timestamptz(3) NOT NULL,
  closed_at     timestamptz(3)
);
CREATE INDEX drops_by_collection ON projection.drops (collection_id, drop_id);

-- Codes by the keyed hash of their secret. The claimant's columns are null until the claim.
CREATE TABLE projection.codes (
  code_id        text COLLATE "C" PRIMARY KEY,
  collection_id  text COLLATE "C" NOT NULL,
  drop_id        text COLLATE "C" NOT NULL,
  batch_id       text COLLATE "C",
  status         text NOT NULL CHECK (status IN ('open', 'claimed', 'revoked')),
  created_at     timestamptz(3) NOT NULL,
  account_id     text COLLATE "C",
  identity_id    text COLLATE "C",
  book_id        text COLLATE "C",
  generation     integer,
  claim_event_id text COLLATE "C",
  claim_hash     text,
  claimed_at     timestamptz(3),
  revoked_at     timestamptz(3)
);
CREATE INDEX codes_by_drop ON projection.codes (drop_id, code_id);
CREATE INDEX codes_by_batch ON projection.codes (batch_id, code_id);

-- Packs of a book, and the copies of cards it holds. `cards` is the list of the copies that were issued, by slot.
CREATE TABLE projection.packs (
  book_id    text COLLATE "C" NOT NULL,
  pack_id    text COLLATE "C" NOT NULL,
  account_id text COLLATE "C" NOT NULL,
  drop_id    text COLLATE "C" NOT NULL,
  code_id    text COLLATE "C",
  status     text NOT NULL CHECK (status IN ('issued', 'opened')),
  cards      json NOT NULL,
  event_id   text COLLATE "C" NOT NULL,
  issued_at  timestamptz(3) NOT NULL,
  opened_at  timestamptz(3),
  PRIMARY KEY (book_id, pack_id)
);
-- `trade_id` names the trade that keeps the copy in escrow; null: free. `source_id` is the pack, the granting receipt or the trade
-- that brought the copy here. Each book has a row of its own: a copy that changes hands leaves one book's rows and enters another's.
CREATE TABLE projection.card_instances (
  book_id     text COLLATE "C" NOT NULL,
  instance_id text COLLATE "C" NOT NULL,
  account_id  text COLLATE "C" NOT NULL,
  card_id     text COLLATE "C" NOT NULL,
  trade_id    text COLLATE "C",
  source      text NOT NULL CHECK (source IN ('pack', 'grant', 'trade')),
  source_id   text COLLATE "C" NOT NULL,
  since       timestamptz(3) NOT NULL,
  PRIMARY KEY (book_id, instance_id)
);
CREATE INDEX card_instances_in_escrow ON projection.card_instances (book_id, trade_id) WHERE trade_id IS NOT NULL;

-- A trade as the offerer's book has it, and as the accepter's has it: rows of one stream each. `give` and `receive` are lists of copies,
-- `want` what the offer asks for. `ended_at` is the time of the acceptance, or of what came instead.
CREATE TABLE projection.trades (
  trade_id       text COLLATE "C" PRIMARY KEY,
  account_id     text COLLATE "C" NOT NULL,
  book_id        text COLLATE "C" NOT NULL,
  to_account_id  text COLLATE "C" NOT NULL,
  to_identity_id text COLLATE "C" NOT NULL,
  to_book_id     text COLLATE "C" NOT NULL,
  to_generation  integer NOT NULL,
  status         text NOT NULL CHECK (status IN ('offered', 'accepted', 'declined', 'cancelled', 'expired')),
  give           json NOT NULL,
  want           json NOT NULL,
  receive        json,
  offer_hash     text NOT NULL,
  offered_at     timestamptz(3) NOT NULL,
  expires_at     timestamptz(3) NOT NULL,
  ended_at       timestamptz(3),
  end_event_id   text COLLATE "C",
  end_hash       text
);
CREATE INDEX trades_by_book ON projection.trades (book_id, trade_id);
CREATE INDEX trades_by_partner ON projection.trades (to_book_id, trade_id);
CREATE INDEX trades_open ON projection.trades (expires_at) WHERE status = 'offered';
CREATE INDEX trades_open_by_book ON projection.trades (book_id) WHERE status = 'offered';
CREATE TABLE projection.trade_reservations (
  book_id          text COLLATE "C" NOT NULL,
  trade_id         text COLLATE "C" NOT NULL,
  account_id       text COLLATE "C" NOT NULL,
  offer_account_id text COLLATE "C" NOT NULL,
  offer_book_id    text COLLATE "C" NOT NULL,
  offer_hash       text NOT NULL,
  status           text NOT NULL CHECK (status IN ('reserved', 'settled', 'released')),
  give             json NOT NULL,
  take             json NOT NULL,
  event_id         text COLLATE "C" NOT NULL,
  hash             text NOT NULL,
  reserved_at      timestamptz(3) NOT NULL,
  ended_at         timestamptz(3),
  PRIMARY KEY (book_id, trade_id)
);
CREATE INDEX trade_reservations_open ON projection.trade_reservations (book_id) WHERE status = 'reserved';

-- Where each receipt is, and under which idempotency key: a lookup, not a copy. The bytes stay in the store.
-- Within a stream event ids are computable from positions (receipt.md §3), so the primary key also serves pages of one stream.
CREATE TABLE projection.receipts (
  event_id           text COLLATE "C" PRIMARY KEY,
  stream             text COLLATE "C" NOT NULL, -- the stream's key prefix
  account_id         text COLLATE "C",          -- the tenant, where the stream has one
  position           bigint NOT NULL,
  type               text NOT NULL,
  hash               text NOT NULL,
  bytes              integer NOT NULL,          -- of the stored object
  created_at         timestamptz(3) NOT NULL,
  idempotency_digest bytea NOT NULL UNIQUE,     -- SHA-256 of prefix NUL key: invariant I3
  fingerprint        bytea NOT NULL             -- SHA-256 of what was asked for: tells a retry from a reuse of the key
);
-- What an account used of the service in a month.
CREATE INDEX receipts_by_account ON projection.receipts (account_id, created_at) WHERE account_id IS NOT NULL;

-- What each kind of run over the whole ledger saw last, for people and alarms; not part of the digests. `behind_*`: what the live projection lacked
-- of it at that moment, which a repair then applied. `differences`: heads and rows that differed, and were left as they are.
CREATE TABLE projection.projector_offsets (
  projector         text COLLATE "C" PRIMARY KEY, -- 'rebuild', 'repair', 'drift'
  projector_version integer NOT NULL,
  streams           bigint NOT NULL,              -- in the store
  receipts          bigint NOT NULL,
  behind_streams    bigint NOT NULL,
  behind_receipts   bigint NOT NULL,
  differences       bigint NOT NULL,
  last_key          text COLLATE "C",
  updated_at        timestamptz(3) NOT NULL
);

-- The redo outbox: what must still follow from a receipt that is applied (the second stream of a two-stream effect). Written in the
-- transaction that applies the receipt; a worker appends what follows with an idempotency key derived from `event_id` and
-- `target`, so that doing a row twice is harmless. Rows that were lost are made again from the projection.
CREATE TABLE ops.redo_outbox (
  event_id   text COLLATE "C" NOT NULL,
  target     text COLLATE "C" NOT NULL, -- prefix of the stream that must follow
  kind       text NOT NULL,             -- 'issue-code-pack', 'complete-trade'
  created_at timestamptz(3) NOT NULL,
  done_at    timestamptz(3),
  outcome    text,                      -- 'done', or the code of the refusal that ended it
  PRIMARY KEY (event_id, target)
);
-- Databases made before the column was: `ops` is not made anew by a rebuild.
ALTER TABLE ops.redo_outbox ADD COLUMN IF NOT EXISTS outcome text;
CREATE INDEX redo_outbox_open ON ops.redo_outbox (created_at) WHERE done_at IS NULL;

-- Batches: many packs or codes as one job. Progress and failures are for people; what is done is told by the receipts, whose idempotency
-- keys follow from `batch_id` and the item, so that a batch may be run again from its start at any time.
CREATE TABLE ops.batches (
  batch_id      text COLLATE "C" PRIMARY KEY,
  kind          text NOT NULL CHECK (kind IN ('packs', 'codes')),
  user_id       text COLLATE "C" NOT NULL, -- who asked: what they may do is looked at for each item
  identity_id   text COLLATE "C" NOT NULL, -- the issuer's identity that signs
  collection_id text COLLATE "C" NOT NULL,
  drop_id       text COLLATE "C" NOT NULL,
  items         json NOT NULL,             -- of packs: the books, [{"accountId","bookId"}]; of codes: []
  total         integer NOT NULL,
  done          integer NOT NULL DEFAULT 0,
  failures      json NOT NULL DEFAULT '[]', -- [{"item","code","detail"}]
  status        text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'finished')),
  created_at    timestamptz(3) NOT NULL,
  finished_at   timestamptz(3),
  shown_at      timestamptz(3)             -- of codes: when they were shown, once
);
CREATE INDEX batches_by_user ON ops.batches (user_id, batch_id);
CREATE INDEX batches_unfinished ON ops.batches (created_at) WHERE status <> 'finished';

-- Runs of the projector that operators asked for over HTTP, each in a process of its own. One that is lost is asked for again: every verb may
-- be repeated. Of each kind one is under way at a time.
CREATE TABLE ops.runs (
  run_id       text COLLATE "C" PRIMARY KEY,
  kind         text NOT NULL CHECK (kind IN ('rebuild', 'repair', 'drift', 'verify')),
  user_id      text COLLATE "C" NOT NULL, -- the operator who asked
  status       text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'finished', 'failed')),
  created_at   timestamptz(3) NOT NULL,
  started_at   timestamptz(3),
  finished_at  timestamptz(3),
  exit_code    integer,
  reason       text CHECK (reason IN ('interrupted', 'service-stopped', 'took-too-long', 'not-done', 'crashed')),
  report       json,                       -- as the command line says it
  report_whole boolean NOT NULL DEFAULT true
);
CREATE UNIQUE INDEX runs_under_way ON ops.runs (kind) WHERE status IN ('queued', 'running');

-- Streams whose objects in the store are not all true: each is applied up to its fault and no further, and the others are not touched by it. Written
-- by whoever meets one; taken out by a run that finds the stream whole again. `position` and `key` are those of the first fault, where it has
-- any that is known.
CREATE TABLE ops.quarantined_streams (
  stream   text COLLATE "C" PRIMARY KEY, -- the stream's key prefix
  position bigint,
  key      text COLLATE "C",
  code     text NOT NULL,                -- of the fault
  detail   text NOT NULL,
  found_by text NOT NULL CHECK (found_by IN ('rebuild', 'repair', 'drift', 'service')), -- last
  since    timestamptz(3) NOT NULL,
  seen_at  timestamptz(3) NOT NULL
);

-- Who did what as an operator, or tried to: one row before anything is done, one that tells the outcome. Not made from receipts: backed up
-- like users. The service may add rows and read them, and do nothing else to them.
CREATE TABLE ops.audit_trail (
  entry_id   text COLLATE "C" PRIMARY KEY,
  asked_id   text COLLATE "C",             -- of an outcome: the row that was written before
  at         timestamptz(3) NOT NULL,
  user_id    text COLLATE "C" NOT NULL,
  via        text NOT NULL CHECK (via IN ('cookie', 'bearer', 'api-key')),
  session_id text COLLATE "C" NOT NULL,    -- or the API key's id
  operation  text COLLATE "C" NOT NULL,
  target     text COLLATE "C",
  status     integer,
  outcome    text NOT NULL,                -- 'asked', 'answered', or the code of the problem
  request_id text NOT NULL
);
CREATE INDEX audit_trail_by_user ON ops.audit_trail (user_id, entry_id);
CREATE INDEX audit_trail_by_operation ON ops.audit_trail (operation, entry_id);

-- Commands of accounts by month, at least: each process adds what it counted every few seconds. Receipts and bytes are in the projection.
CREATE TABLE ops.usage (
  account_id text COLLATE "C" NOT NULL,
  month      text COLLATE "C" NOT NULL CHECK (month ~ '^[0-9]{4}-[0-9]{2}$'), -- of UTC
  commands   bigint NOT NULL,
  PRIMARY KEY (account_id, month)
);

-- How often who did what in the window that ends at `expire` (ms since 1970): what the processes count requests with, named as
-- rate-limiter-flexible wants it. Worth minutes: not logged, so that no count waits for a disk, and empty after a crash of Postgres.
CREATE UNLOGGED TABLE ops.rate_limits (
  key    text COLLATE "C" PRIMARY KEY, -- policy:subject
  points integer NOT NULL,
  expire bigint
) WITH (fillfactor = 70); -- rows are counted up in place
CREATE INDEX rate_limits_by_end ON ops.rate_limits (expire);

-- Tenant walls: a second line of defence behind the conditions of every statement. Three roles, which src/adapter/postgres/roles.ts makes:
-- `pixpax_app` is what commands and queries run as, `pixpax_directory` tells whose an id is, and `pixpax_projector` owns the tables and fills
-- them. None of them passes by row-level security. A rebuild fills tables without walls, which only their owner reaches (COPY cannot fill
-- others), and puts up what follows before anybody else does.

-- Whose rows a statement serves: accounts with commas between them, set for its transaction. NULL, which no row equals, when nothing is.
-- Policies ask in a subquery: once a statement, not once a row. They compare by a collation that is as good as the columns' own and in no
-- index: a wall is there to be checked for rows that a statement's own conditions have found, never to find rows by.
CREATE FUNCTION projection.tenants() RETURNS text[] STABLE PARALLEL SAFE
  RETURN string_to_array(nullif(current_setting('app.account_id', true), ''), ',');

-- Every table with an account_id has these three; a test names those that lack any.
ALTER TABLE projection.accounts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY projector ON projection.accounts TO pixpax_projector USING (true);
CREATE POLICY tenant ON projection.accounts TO pixpax_app USING (account_id COLLATE "POSIX" = ANY ((SELECT projection.tenants())::text[]));
ALTER TABLE projection.account_members ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY projector ON projection.account_members TO pixpax_projector USING (true);
CREATE POLICY tenant ON projection.account_members TO pixpax_app USING (account_id COLLATE "POSIX" = ANY ((SELECT projection.tenants())::text[]));
ALTER TABLE projection.account_invitations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY projector ON projection.account_invitations TO pixpax_projector USING (true);
CREATE POLICY tenant ON projection.account_invitations TO pixpax_app USING (account_id COLLATE "POSIX" = ANY ((SELECT projection.tenants())::text[]));
ALTER TABLE projection.identities ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY projector ON projection.identities TO pixpax_projector USING (true);
CREATE POLICY tenant ON projection.identities TO pixpax_app USING (account_id COLLATE "POSIX" = ANY ((SELECT projection.tenants())::text[]));
-- The operator's are the trust anchor and the issuers: who signs for the ledger is public.
CREATE POLICY operator ON projection.identities FOR SELECT TO pixpax_app USING (account_id = 'acc_operator');
ALTER TABLE projection.identity_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY projector ON projection.identity_keys TO pixpax_projector USING (true);
CREATE POLICY tenant ON projection.identity_keys TO pixpax_app USING (account_id COLLATE "POSIX" = ANY ((SELECT projection.tenants())::text[]));
ALTER TABLE projection.pixbooks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY projector ON projection.pixbooks TO pixpax_projector USING (true);
CREATE POLICY tenant ON projection.pixbooks TO pixpax_app USING (account_id COLLATE "POSIX" = ANY ((SELECT projection.tenants())::text[]));
ALTER TABLE projection.account_ledger_heads ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY projector ON projection.account_ledger_heads TO pixpax_projector USING (true);
CREATE POLICY tenant ON projection.account_ledger_heads TO pixpax_app USING (account_id COLLATE "POSIX" = ANY ((SELECT projection.tenants())::text[]));
ALTER TABLE projection.pixbook_ledger_heads ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY projector ON projection.pixbook_ledger_heads TO pixpax_projector USING (true);
CREATE POLICY tenant ON projection.pixbook_ledger_heads TO pixpax_app USING (account_id COLLATE "POSIX" = ANY ((SELECT projection.tenants())::text[]));
ALTER TABLE projection.codes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY projector ON projection.codes TO pixpax_projector USING (true);
CREATE POLICY tenant ON projection.codes TO pixpax_app USING (account_id COLLATE "POSIX" = ANY ((SELECT projection.tenants())::text[]));
-- Codes are the operator's, claimed or not; the claimant's account comes into the row with the claim.
CREATE POLICY issuer ON projection.codes TO pixpax_app USING ('acc_operator' = ANY ((SELECT projection.tenants())::text[]));
ALTER TABLE projection.packs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY projector ON projection.packs TO pixpax_projector USING (true);
CREATE POLICY tenant ON projection.packs TO pixpax_app USING (account_id COLLATE "POSIX" = ANY ((SELECT projection.tenants())::text[]));
ALTER TABLE projection.card_instances ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY projector ON projection.card_instances TO pixpax_projector USING (true);
CREATE POLICY tenant ON projection.card_instances TO pixpax_app USING (account_id COLLATE "POSIX" = ANY ((SELECT projection.tenants())::text[]));
ALTER TABLE projection.trades ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY projector ON projection.trades TO pixpax_projector USING (true);
CREATE POLICY tenant ON projection.trades TO pixpax_app USING (account_id COLLATE "POSIX" = ANY ((SELECT projection.tenants())::text[]));
-- A trade is the offerer's row, and both see it.
CREATE POLICY partner ON projection.trades FOR SELECT TO pixpax_app USING (to_account_id COLLATE "POSIX" = ANY ((SELECT projection.tenants())::text[]));
ALTER TABLE projection.trade_reservations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY projector ON projection.trade_reservations TO pixpax_projector USING (true);
CREATE POLICY tenant ON projection.trade_reservations TO pixpax_app USING (account_id COLLATE "POSIX" = ANY ((SELECT projection.tenants())::text[]));
-- And a reservation the partner's.
CREATE POLICY partner ON projection.trade_reservations FOR SELECT TO pixpax_app
  USING (offer_account_id COLLATE "POSIX" = ANY ((SELECT projection.tenants())::text[]));
ALTER TABLE projection.receipts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY projector ON projection.receipts TO pixpax_projector USING (true);
CREATE POLICY tenant ON projection.receipts TO pixpax_app USING (account_id COLLATE "POSIX" = ANY ((SELECT projection.tenants())::text[]));
-- Receipts of collections and codes are no tenant's.
CREATE POLICY shared ON projection.receipts TO pixpax_app USING (account_id IS NULL);

GRANT USAGE ON SCHEMA projection TO pixpax_app, pixpax_directory;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA projection TO pixpax_app;
GRANT DELETE ON projection.account_members, projection.account_invitations, projection.card_instances TO pixpax_app;
REVOKE INSERT, UPDATE ON projection.projector_offsets FROM pixpax_app;

-- The directory sees all tenants' rows, and of these columns only: an id, whose it is, and what the id follows from. Keys are public.
GRANT SELECT (account_id, user_id, role) ON projection.account_members TO pixpax_directory;
CREATE POLICY directory ON projection.account_members FOR SELECT TO pixpax_directory USING (true);
GRANT SELECT (identity_id, key_generation, account_id, public_key_id, public_key, from_position, valid_from, until_position, valid_until)
  ON projection.identity_keys TO pixpax_directory;
CREATE POLICY directory ON projection.identity_keys FOR SELECT TO pixpax_directory USING (true);
GRANT SELECT (book_id, account_id, identity_id, collection_id, generation, status) ON projection.pixbooks TO pixpax_directory;
CREATE POLICY directory ON projection.pixbooks FOR SELECT TO pixpax_directory USING (true);
GRANT SELECT (book_id, account_id) ON projection.pixbook_ledger_heads TO pixpax_directory;
CREATE POLICY directory ON projection.pixbook_ledger_heads FOR SELECT TO pixpax_directory USING (true);
GRANT SELECT (trade_id, account_id, book_id, to_account_id, status, expires_at) ON projection.trades TO pixpax_directory;
CREATE POLICY directory ON projection.trades FOR SELECT TO pixpax_directory USING (true);
GRANT SELECT (event_id, stream, position, hash) ON projection.receipts TO pixpax_directory;
CREATE POLICY directory ON projection.receipts FOR SELECT TO pixpax_directory USING (true);

-- `ops` holds work of all tenants, by receipts and streams: it has no tenant's columns and no walls, but around what each of them used.
GRANT USAGE ON SCHEMA ops TO pixpax_app;
GRANT SELECT, INSERT, UPDATE ON ops.redo_outbox, ops.batches TO pixpax_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ops.rate_limits TO pixpax_app;
GRANT SELECT, INSERT, UPDATE ON ops.runs TO pixpax_app;
-- No DELETE: that a stream is whole again is for the projector to find.
GRANT SELECT, INSERT, UPDATE ON ops.quarantined_streams TO pixpax_app;
-- No UPDATE, no DELETE: what is in the trail stays.
GRANT SELECT, INSERT ON ops.audit_trail TO pixpax_app;
GRANT SELECT, INSERT, UPDATE ON ops.usage TO pixpax_app;
ALTER TABLE ops.usage ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
-- What is missing of `ops` is made by running all of this once more, and policies know no IF NOT EXISTS. Nor does `ops` know `projection`.
DROP POLICY IF EXISTS projector ON ops.usage;
CREATE POLICY projector ON ops.usage TO pixpax_projector USING (true);
DROP POLICY IF EXISTS tenant ON ops.usage;
CREATE POLICY tenant ON ops.usage TO pixpax_app
  USING (account_id COLLATE "POSIX" = ANY ((SELECT string_to_array(nullif(current_setting('app.account_id', true), ''), ','))::text[]));
