"""A PostgreSQL of our own on one machine: found binaries, a private cluster, a private Unix socket."""

from mercato.postgres.binaries import (
    DIRECT,
    USER_NAMESPACE,
    Launch,
    PostgresUnavailable,
    choose_launch,
    find_bin_dir,
    find_client,
    major_version,
    nobody,
)
from mercato.postgres.cluster import AlreadyServed, AnotherMajorVersion, Cluster, temporary_cluster
from mercato.postgres.databases import connect, database_url, identity, provide

__all__ = [
    "DIRECT",
    "USER_NAMESPACE",
    "AlreadyServed",
    "AnotherMajorVersion",
    "Cluster",
    "Launch",
    "PostgresUnavailable",
    "choose_launch",
    "connect",
    "database_url",
    "find_bin_dir",
    "find_client",
    "identity",
    "major_version",
    "nobody",
    "provide",
    "temporary_cluster",
]
