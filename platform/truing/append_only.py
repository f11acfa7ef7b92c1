"""Tables whose rows are only ever added: the database itself refuses to change or delete them."""

from django.db import migrations

_REFUSE = """
CREATE OR REPLACE FUNCTION truing_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""


def append_only(table: str) -> migrations.RunSQL:
    """The migration step that makes a table append-only."""
    return migrations.RunSQL(
        f"{_REFUSE} CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION truing_refuse_change();",
        f"DROP TRIGGER append_only ON {table};",
    )
