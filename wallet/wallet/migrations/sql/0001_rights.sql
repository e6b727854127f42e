-- {app} is the role of the running service, the user of WALLET_DATABASE_URL: it reads the ledger and calls the
-- functions that are the service's operations. It has no other way to write.

REVOKE ALL ON account, transfer, entry, idempotency, audit_event FROM {app};
REVOKE ALL ON SEQUENCE account_id_seq, transfer_id_seq, entry_id_seq, audit_event_id_seq FROM {app};
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM {app};

GRANT SELECT ON account, transfer, entry, audit_event TO {app};
GRANT EXECUTE ON FUNCTION wallet_adjust(text, text, bytea, uuid, uuid, text, text, bigint, text, text) TO {app};
