"""What the database itself refuses: changing or removing a row of the ledger."""

from collections.abc import Mapping

from sqlalchemy import Connection, Table, event

from orchestrator.store.tables import ledger

TRIGGERS: Mapping[str, tuple[str, ...]] = {
    "sqlite": (
        """CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
        """CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
    ),
    "postgresql": (
        """CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$""",
        """CREATE TRIGGER ledger_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
        FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only()""",
    ),
}


@event.listens_for(ledger, "after_create")
def _guard(_table: Table, connection: Connection, **_: object) -> None:
    for statement in TRIGGERS[connection.dialect.name]:
        connection.exec_driver_sql(statement)
