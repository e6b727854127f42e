-- One posting, what every operation is made of: idempotency key, two accounts looked up, transfer, two chained
-- entries. Half of them are debits. Ids grow with time, as version 7 UUIDs do.
\set customer random(1, 2000)
\set amount random(1, 100) * (2 * random(0, 1) - 1)
\set key random(1, 9000000000000000000)
\set id :id + 1
\set number (:slice * 1000 + :client_id) * 1000000000 + :id
SELECT wallet_claim('core', :key::text, '\x0000000000000000000000000000000000000000000000000000000000000000', lpad(:number::text, 32, '0')::uuid) IS NULL, wallet_post(lpad(:number::text, 32, '0')::uuid, 'adjustment', 'EUR', ARRAY[wallet_account(NULL, 'customer', 'customer-' || :customer, 'EUR', 0::smallint), wallet_stripe('manual_adjustment', 'EUR', lpad(:number::text, 32, '0')::uuid)], ARRAY[:amount::bigint, -:amount::bigint], 1, '', 'bench', 'bench');
