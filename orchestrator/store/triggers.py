"""What the database itself refuses: rows of the ledger or certificates changed or removed.

On SQLite an INSERT OR REPLACE removes rows without asking the triggers for DELETE.
"""

from collections.abc import Mapping

from sqlalchemy import Connection, Table, event

from orchestrator.store.tables import certificates, ledger

TRIGGERS: Mapping[str, tuple[str, ...]] = {
    "sqlite": (
        """CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
        """CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
        """CREATE TRIGGER ledger_no_replace BEFORE INSERT ON ledger
        WHEN NEW.id <= (SELECT max(id) FROM ledger)
          OR EXISTS (SELECT 1 FROM ledger WHERE hash = NEW.hash)
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
    ),
    "postgresql": (
        """CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$""",
        """CREATE TRIGGER ledger_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
        FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only()""",
        """CREATE FUNCTION ledger_goes_on() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN
            IF NEW.id <= (SELECT max(id) FROM ledger) THEN
                RAISE EXCEPTION 'the ledger is append-only';
            END IF;
            RETURN NEW;
        END $$""",
        """CREATE TRIGGER ledger_no_insert_before BEFORE INSERT ON ledger
        FOR EACH ROW EXECUTE FUNCTION ledger_goes_on()""",
    ),
}


@event.listens_for(ledger, "after_create")
def _guard(_table: Table, connection: Connection, **_: object) -> None:
    for statement in TRIGGERS[connection.dialect.name]:
        connection.exec_driver_sql(statement)


CERTIFICATE_TRIGGERS: Mapping[str, tuple[str, ...]] = {
    "sqlite": (
        """CREATE TRIGGER certificates_no_update BEFORE UPDATE ON certificates
        BEGIN SELECT RAISE(ABORT, 'certificates are append-only'); END""",
        """CREATE TRIGGER certificates_no_delete BEFORE DELETE ON certificates
        BEGIN SELECT RAISE(ABORT, 'certificates are append-only'); END""",
        """CREATE TRIGGER certificates_no_replace BEFORE INSERT ON certificates
        WHEN EXISTS (SELECT 1 FROM certificates
          WHERE session = NEW.session AND edition >= NEW.edition)
        BEGIN SELECT RAISE(ABORT, 'certificates are append-only'); END""",
    ),
    "postgresql": (
        """CREATE FUNCTION certificates_are_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'certificates are append-only'; END $$""",
        """CREATE TRIGGER certificates_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON certificates
        FOR EACH STATEMENT EXECUTE FUNCTION certificates_are_append_only()""",
    ),
}


@event.listens_for(certificates, "after_create")
def _guard_certificates(_table: Table, connection: Connection, **_: object) -> None:
    for statement in CERTIFICATE_TRIGGERS[connection.dialect.name]:
        connection.exec_driver_sql(statement)
