-- Fill the floor: a hundred shops with four accounts each, and :count payments that wait to be completed.
INSERT INTO shop SELECT md5('shop' || n)::uuid, 'Shop ' || n FROM generate_series(0, 99) n;
INSERT INTO book_account
  SELECT md5('account' || n || kind)::uuid, md5('shop' || n)::uuid, kind
    FROM generate_series(0, 99) n, unnest(ARRAY['clearing', 'payable', 'fees', 'surplus']) kind;
INSERT INTO payment
  SELECT md5('payment' || n)::uuid, md5('shop' || n % 100)::uuid, false, 1500, 0, 'KES', 'processing', 'order-' || n,
         'Order ' || n, 'user' || n || '@example.com', '+254712345678', '{"channel": "web"}', left(md5('link' || n), 32),
         now() + interval '1 day', now(), now()
    FROM generate_series(1, :count) n;
VACUUM ANALYZE;
