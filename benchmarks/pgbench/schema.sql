-- The floor's own tables: as many rows, columns and indexes as a payment has in Majuu, and nothing else.
CREATE TABLE shop (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE book_account (id uuid PRIMARY KEY, shop_id uuid NOT NULL REFERENCES shop, kind varchar(32) NOT NULL);
CREATE TABLE payment (
  id uuid PRIMARY KEY,
  shop_id uuid NOT NULL REFERENCES shop,
  livemode boolean NOT NULL,
  amount numeric(19, 4) NOT NULL CHECK (amount > 0),
  received numeric(19, 4) NOT NULL,
  currency varchar(3) NOT NULL,
  status varchar(32) NOT NULL,
  reference varchar(64) NOT NULL,
  description varchar(255) NOT NULL,
  customer_email varchar(254) NOT NULL,
  customer_phone varchar(32) NOT NULL,
  metadata jsonb NOT NULL,
  link_token varchar(32) NOT NULL UNIQUE,
  expires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE INDEX ON payment (shop_id, id DESC);
CREATE INDEX ON payment (shop_id, reference);
CREATE TABLE payment_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payment_id uuid NOT NULL REFERENCES payment,
  actor varchar(64) NOT NULL, action varchar(64) NOT NULL, changes jsonb NOT NULL, at timestamptz NOT NULL
);
CREATE INDEX ON payment_log (payment_id);
CREATE TABLE outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, type varchar(64) NOT NULL, object_id uuid NOT NULL,
  data jsonb NOT NULL, at timestamptz NOT NULL, dispatched_at timestamptz
);
CREATE INDEX ON outbox (id) WHERE dispatched_at IS NULL;
CREATE TABLE answered_request (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, shop_id uuid NOT NULL, key varchar(255) NOT NULL,
  request_hash varchar(64) NOT NULL, status smallint NOT NULL, body text NOT NULL, at timestamptz NOT NULL,
  UNIQUE (shop_id, key)
);
CREATE TABLE journal (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payment_id uuid NOT NULL REFERENCES payment,
  kind varchar(32) NOT NULL, description varchar(255) NOT NULL, at timestamptz NOT NULL
);
CREATE INDEX ON journal (payment_id);
CREATE TABLE posting (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, journal_id bigint NOT NULL REFERENCES journal,
  account_id uuid NOT NULL REFERENCES book_account, amount numeric(19, 4) NOT NULL, currency varchar(3) NOT NULL,
  at timestamptz NOT NULL
);
CREATE INDEX ON posting (journal_id);
CREATE INDEX ON posting (account_id, at);
CREATE TABLE audit (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, actor varchar(64) NOT NULL, action varchar(64) NOT NULL,
  object_id varchar(64) NOT NULL, changes jsonb NOT NULL, remote_addr varchar(45) NOT NULL, at timestamptz NOT NULL
);
CREATE INDEX ON audit (object_id);
