#!/usr/bin/env python3
"""Weigh the rows of a seeded shop: 20,000 copies of what each table holds, with all its indexes.

mercato up --detach --data DIR
python bench/requests/rows.py --data DIR

The copies stand in tables of their own in a transaction that is not committed. What is unique is made up.
"""

import argparse
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import sql

from mercato.assembly import open_system
from mercato.home import Home

COPIES = 20_000
TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND n.nspname = 'public' AND c.relname !~ '^(auth_|django_(?!session)|alembic)'
 ORDER BY 1
"""
COLUMNS = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod),
       EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique
                                        AND (a.attnum = ANY (i.indkey)
                            OR 0 = ANY (i.indkey) AND a.attname IN ('code', 'email', 'name', 'sku', 'slug')))
  FROM pg_attribute a
 WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
 ORDER BY a.attnum
"""


def main() -> None:
    """Print bytes for each row and table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="the data directory of the running system")
    home = Home.at(parser.parse_args().data)
    with open_system(home, migrated=False) as system:
        for service, urls in system.databases.items():
            connection = psycopg2.connect(urls.owner)
            cursor = connection.cursor()
            cursor.execute(TABLES)
            for (table,) in cursor.fetchall():
                print(f"{service}.{table}: {weigh(cursor, table)}", flush=True)
                connection.rollback()
            connection.close()


def weigh(cursor: Any, table: str) -> str:
    """Bytes for each row with its indexes, and of these in the table itself."""
    names = {"table": sql.Identifier(table), "copy": sql.Identifier(f"{table}_weighed")}
    cursor.execute(sql.SQL("CREATE TABLE {copy} (LIKE {table} INCLUDING ALL)").format(**names))
    cursor.execute(COLUMNS, [table])
    columns = cursor.fetchall()
    made = sql.SQL(", ").join(_value(*column) for column in columns)
    into = sql.SQL(", ").join(sql.Identifier(name) for name, _, _ in columns)
    copies = sql.SQL(
        "INSERT INTO {copy} ({into}) OVERRIDING SYSTEM VALUE SELECT {made} FROM ("
        "SELECT t.*, row_number() OVER () AS n FROM {table} t, generate_series(1, %s) LIMIT %s"
        ") AS t"
    )
    try:
        cursor.execute(copies.format(into=into, made=made, **names), [COPIES, COPIES])
    except psycopg2.Error as exc:
        return f"not weighed: {str(exc).splitlines()[0]}"
    if not cursor.rowcount:
        return "empty"
    rows = cursor.rowcount
    cursor.execute(
        "SELECT pg_total_relation_size(%s), pg_table_size(%s)", [f"{table}_weighed", f"{table}_weighed"]
    )
    whole, heap = cursor.fetchone()
    return f"{whole / rows:.0f} bytes, {heap / rows:.0f} without indexes ({rows} rows)"


def _value(name: str, kind: str, is_unique: bool) -> sql.Composable:
    column = sql.Identifier(name)
    if not is_unique:
        return sql.SQL("t.") + column
    if kind == "uuid":
        return sql.SQL("gen_random_uuid()")
    if kind.startswith(("character", "text")):
        # As long as it was, and made of hexadecimal digits.
        return sql.SQL("left(md5(n::text) || md5((-n)::text), greatest(length(t.{0}), 8))").format(column)
    if kind == "bytea":
        return sql.SQL("sha256(n::text::bytea)")
    return sql.SQL("n") if kind in {"bigint", "integer"} else sql.SQL("t.") + column


if __name__ == "__main__":
    main()
