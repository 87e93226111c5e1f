"""Tables that the database itself keeps from being rewritten: a migration operation."""

from __future__ import annotations

from django.db.migrations import RunSQL

_REFUSE = """
CREATE OR REPLACE FUNCTION xueshi_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation', HINT = 'Append a correction instead.';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION xueshi_append_only();
"""


def append_only(table: str) -> RunSQL:
    """Refuse UPDATE, DELETE and TRUNCATE on ``table``."""
    return RunSQL(_REFUSE.format(table=table), reverse_sql=f"DROP TRIGGER append_only ON {table}")
