-- Accept one payment, statement by statement: payment, log, outbox, idempotency. Six round trips.
\set shop random(0, 99)
\set unique random(1, 9000000000000000)
\set shillings random(100, 250000)
BEGIN;
INSERT INTO payment VALUES (gen_random_uuid(), md5('shop' || :shop)::uuid, false, :shillings, 0, 'KES', 'requires_payment_method', 'order-' || :unique, 'Order 42', 'user@example.com', '+254712345678', '{"order_id": "42", "channel": "web"}', left(md5('link' || :unique), 32), now() + interval '1 day', now(), now()) RETURNING id AS payment \gset
INSERT INTO payment_log (payment_id, actor, action, changes, at) VALUES (:payment::text::uuid, 'key_01', 'payment_intent.created', '{"amount": [null, "1500.00"]}', now());
INSERT INTO outbox (type, object_id, data, at) VALUES ('payment_intent.created', :payment::text::uuid, '{"payment_intent": {"amount": "1500.00", "currency": "KES", "status": "requires_payment_method"}}', now());
INSERT INTO answered_request (shop_id, key, request_hash, status, body, at) VALUES (md5('shop' || :shop)::uuid, 'key-' || :unique, '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', 201, '{"amount":"1500.00","currency":"KES","status":"requires_payment_method"}', now());
COMMIT;
