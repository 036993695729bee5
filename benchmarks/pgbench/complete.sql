-- Complete one payment that nobody completed before, statement by statement: lock, update, journal with three postings,
-- outbox, audit. Eight round trips. -D number=<where to start> -D clients=<how many>
\set number :number + :clients
\set mine :number + :client_id
\set shop :mine % 100
BEGIN;
SELECT shop_id, amount, received, status FROM payment WHERE id = md5('payment' || :mine)::uuid FOR UPDATE;
UPDATE payment SET status = 'succeeded', received = amount, updated_at = now() WHERE id = md5('payment' || :mine)::uuid;
INSERT INTO journal (payment_id, kind, description, at) VALUES (md5('payment' || :mine)::uuid, 'charge', 'Charge succeeded', now()) RETURNING id AS journal \gset
INSERT INTO posting (journal_id, account_id, amount, currency, at) VALUES (:journal, md5('account' || :shop || 'clearing')::uuid, 1500, 'KES', now()), (:journal, md5('account' || :shop || 'payable')::uuid, -1485, 'KES', now()), (:journal, md5('account' || :shop || 'fees')::uuid, -15, 'KES', now());
INSERT INTO outbox (type, object_id, data, at) VALUES ('payment_intent.succeeded', md5('payment' || :mine)::uuid, '{"payment_intent": {"amount": "1500.00", "currency": "KES", "status": "succeeded"}}', now());
INSERT INTO audit (actor, action, object_id, changes, remote_addr, at) VALUES ('provider', 'charge.succeeded', md5('payment' || :mine), '{"status": ["processing", "succeeded"]}', '127.0.0.1', now());
COMMIT;
