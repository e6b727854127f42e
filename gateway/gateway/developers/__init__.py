"""Documents for those who write programs against the shop; none of them asks a service or the database."""
