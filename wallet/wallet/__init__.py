"""The wallet: balances and transactions on a double-entry ledger."""
