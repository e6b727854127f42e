-- One staff adjustment as the service makes it: a posting (posting.sql), an audit event, and the result read back.
-- :slice keeps the ids of two runs apart.
\set customer random(1, 2000)
\set amount random(1, 100) * (2 * random(0, 1) - 1)
\set key random(1, 9000000000000000000)
\set id :id + 1
\set number (:slice * 1000 + :client_id) * 1000000000 + :id
SELECT wallet_adjust('bench', :key::text, '\x0000000000000000000000000000000000000000000000000000000000000000', lpad(:number::text, 32, '0')::uuid, NULL, 'customer-' || :customer, 'EUR', :amount, 'bench', 'bench');
