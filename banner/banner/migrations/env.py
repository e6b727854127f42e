"""How Alembic reaches the database: as the owner of the tables."""

from alembic import context
from flask import current_app
from sqlalchemy import create_engine, pool

config = current_app.config
target_metadata = current_app.extensions["migrate"].db.metadata

engine = create_engine(
    "postgresql+psycopg2://", connect_args=config["DATABASE_OWNER"], poolclass=pool.NullPool
)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=target_metadata, compare_server_default=True)
    with context.begin_transaction():
        context.run_migrations()
