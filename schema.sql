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
COMMENT ON SCHEMA projection IS 'projector version 1';

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
-- `target`, so that doing a row twice is harmless, and losing the table costs one replay.
CREATE TABLE ops.redo_outbox (
  event_id   text COLLATE "C" NOT NULL,
  target     text COLLATE "C" NOT NULL, -- prefix of the stream that must follow
  kind       text NOT NULL,
  created_at timestamptz(3) NOT NULL,
  done_at    timestamptz(3),
  PRIMARY KEY (event_id, target)
);
CREATE INDEX redo_outbox_open ON ops.redo_outbox (created_at) WHERE done_at IS NULL;
