-- PixPax receipt ledger: what Postgres holds.
--
-- Nothing here is the truth. The schema `projection` is made from the receipts alone and may be dropped at any time; `ops` holds work that
-- is still to be done and can be found again by replay. Sign-in (users, sessions) lives in the schema `auth`, which better-auth
-- migrates by itself and which alone needs a backup.
--
-- Every value in `projection` comes from a receipt: no defaults, no now(), no sequences, so that a rebuild gives the same rows.
-- No foreign keys and no uniqueness across streams: streams are applied in any order, and one stream's rows must never wait for another's.

CREATE SCHEMA projection;
CREATE SCHEMA ops;

-- Which projector made the rows (PROJECTOR_VERSION in src/stream/event.ts). Raised with every change of this file or of the rows made from
-- the same receipts: a program of another version refuses the schema and asks for a rebuild, which makes one of its own.
COMMENT ON SCHEMA projection IS 'projector version 2';

-- Tenants. One row per account stream.
CREATE TABLE projection.accounts (
  account_id text COLLATE "C" PRIMARY KEY,
  status     text NOT NULL CHECK (status IN ('open', 'closed')),
  created_at timestamptz(3) NOT NULL,
  closed_at  timestamptz(3)
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
  created_at         timestamptz(3) NOT NULL,
  idempotency_digest bytea NOT NULL UNIQUE,     -- SHA-256 of prefix NUL key: invariant I3
  fingerprint        bytea NOT NULL             -- SHA-256 of what was asked for: tells a retry from a reuse of the key
);

-- How far each projector run has come. Written by rebuild and repair, for people and alarms; not part of the digests.
CREATE TABLE projection.projector_offsets (
  projector         text COLLATE "C" PRIMARY KEY, -- 'rebuild', 'repair'
  projector_version integer NOT NULL,
  streams           bigint NOT NULL,
  receipts          bigint NOT NULL,
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
