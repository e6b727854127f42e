"""Banners, their places and images, the log, and what the service may do with them."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from flask import current_app
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

SQL = Path(__file__).parents[1] / "sql"
SLUG = "[A-Za-z0-9]+(-[A-Za-z0-9]+)*"
PLACEMENTS = [
    {"code": "home_hero", "name": "Home, large", "max_items": 5},
    {"code": "home_strip", "name": "Home, strip", "max_items": 4},
    {"code": "category_top", "name": "Above a category", "max_items": 1},
    {"code": "cart_side", "name": "Beside the cart", "max_items": 2},
    {"code": "announcement", "name": "Announcement bar", "max_items": 1},
]


def upgrade() -> None:
    op.create_table(
        "image",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("color", sa.String(length=7), nullable=False),
        sa.Column("renditions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("color ~ '^#[0-9a-f]{6}$'", name="image_color_check"),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="image_sha256_check"),
        sa.CheckConstraint("width > 0 AND height > 0", name="image_size_check"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("sha256"),
    )
    op.create_table(
        "log_entry",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("banner", sa.Uuid(), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("members", postgresql.ARRAY(sa.String(length=40)), nullable=False),
        sa.Column("subject", sa.String(length=100), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("action IN ('create', 'update', 'delete')", name="log_entry_action_check"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("log_entry_banner_idx", "log_entry", ["banner"], unique=False)
    placement = op.create_table(
        "placement",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("max_items", sa.Integer(), nullable=False),
        sa.CheckConstraint("code ~ '^[a-z]+(_[a-z]+)*$'", name="placement_code_check"),
        sa.CheckConstraint("max_items BETWEEN 1 AND 100", name="placement_max_items_check"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
    )
    op.create_table(
        "banner",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("placement_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("subtitle", sa.String(length=240), nullable=False),
        sa.Column("cta_text", sa.String(length=40), nullable=False),
        sa.Column("target_kind", sa.String(length=16), nullable=False),
        sa.Column("target_ref", sa.String(length=2000), nullable=False),
        sa.Column("theme", sa.String(length=8), nullable=False),
        sa.Column("background", sa.String(length=7), nullable=False),
        sa.Column("foreground", sa.String(length=7), nullable=False),
        sa.Column("image_id", sa.BigInteger(), nullable=True),
        sa.Column("image_alt", sa.String(length=300), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("audience", sa.String(length=16), nullable=False),
        sa.Column("categories", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("locale", sa.String(length=8), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(image_id IS NULL) = (image_alt !~ '\\S')", name="banner_image_has_alt"),
        sa.CheckConstraint(
            f"(target_kind = 'product' AND target_ref ~ '^({SLUG})$')"
            f" OR (target_kind = 'category' AND target_ref ~ '^({SLUG}(/{SLUG})*)$')"
            " OR (target_kind = 'search' AND target_ref ~ '^([^\\x01-\\x1f\\x7f]{1,100})$')"
            f" OR (target_kind = 'page' AND target_ref ~ '^({SLUG}(/{SLUG})*)$')"
            " OR (target_kind = 'external' AND target_ref ~ '^(https://[a-z0-9-]+(\\.[a-z0-9-]+)+(/[\\x21\\x23-\\x5b\\x5d-\\x7e]*)?)$')",
            name="banner_target_check",
        ),
        sa.CheckConstraint("audience IN ('all', 'guest', 'customer')", name="banner_audience_check"),
        sa.CheckConstraint("background ~ '^#[0-9a-f]{6}$'", name="banner_background_check"),
        sa.CheckConstraint("foreground ~ '^#[0-9a-f]{6}$'", name="banner_foreground_check"),
        sa.CheckConstraint("locale ~ '^([a-z]{2}(-[A-Z]{2})?)?$'", name="banner_locale_check"),
        sa.CheckConstraint("status IN ('draft', 'published', 'archived')", name="banner_status_check"),
        sa.CheckConstraint("theme IN ('light', 'dark')", name="banner_theme_check"),
        sa.CheckConstraint("title ~ '\\S'", name="banner_title_check"),
        sa.CheckConstraint("cardinality(categories) <= 100", name="banner_categories_check"),
        sa.CheckConstraint("priority BETWEEN 0 AND 100", name="banner_priority_check"),
        sa.CheckConstraint("starts_at < ends_at", name="banner_starts_before_it_ends"),
        sa.CheckConstraint("version >= 1", name="banner_version_starts_at_1"),
        sa.ForeignKeyConstraint(
            ["image_id"],
            ["image.id"],
        ),
        sa.ForeignKeyConstraint(
            ["placement_id"],
            ["placement.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("public_id"),
    )
    op.create_index("banner_image_idx", "banner", ["image_id"], unique=False)
    op.create_index("banner_order_idx", "banner", ["placement_id", "priority", "public_id"], unique=False)
    op.bulk_insert(placement, PLACEMENTS)
    role = current_app.config["APP_ROLE"]
    if role:
        # Else the service runs as the owner, who cannot be denied anything; `serve` says so at every start.
        quoted = op.get_bind().dialect.identifier_preparer.quote_identifier(role)
        op.execute((SQL / "0001_rights.sql").read_text().format(app=quoted))
