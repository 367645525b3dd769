"""How a batch of the inbox's writes becomes one transaction, in the SQL of SQLite and of PostgreSQL."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, update
from sqlalchemy.dialects import postgresql, sqlite

from models.inbox import Challenge, ChallengeTime, QuarantinedBody

DELIVERY, QUARANTINE, CHALLENGE, PROBE = "delivery", "quarantine", "challenge", "probe"

DELIVERY_COLUMNS = (
    "delivery_id", "received_at", "application_urn", "external_job_posting_id", "type", "body_hash", "payload", "body", "signed_by",
)  # fmt: skip
_INSERT = f"insert into inbox ({', '.join(DELIVERY_COLUMNS)}) values "

_quarantine: Any = QuarantinedBody.__table__  # type: ignore[attr-defined]
_challenges: Any = Challenge.__table__  # type: ignore[attr-defined]
_times: Any = ChallengeTime.__table__  # type: ignore[attr-defined]


def write_rows(engine: Engine, batch: Sequence[tuple[str, Any]]) -> None:
    """Write (kind, row) pairs in one commit. All of them or none; raises the database's own errors."""
    rows: dict[str, list[Any]] = {}
    for kind, row in batch:
        rows.setdefault(kind, []).append(row)
    with engine.begin() as connection:
        if deliveries := rows.get(DELIVERY):
            insert_deliveries(connection, deliveries)
        if quarantined := rows.get(QUARANTINE):
            connection.execute(insert(_quarantine), quarantined)
        if challenges := rows.get(CHALLENGE):
            _record_challenges(connection, challenges)
        if rows.keys() == {PROBE}:
            # A write that changes nothing, but takes the whole way.
            connection.execute(update(_challenges).where(_challenges.c.challenge_count < 0).values(challenge_count=0))


def insert_deliveries(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows of `DELIVERY_COLUMNS`. The driver's own way: through the ORM's types a row takes five times as long."""
    if connection.dialect.name == "sqlite":
        told = [(row[0], _write_moment(row[1]), *row[2:]) for row in rows]
        connection.exec_driver_sql(f"{_INSERT}(?, ?, ?, ?, ?, ?, ?, ?, ?)", told)
    else:
        connection.exec_driver_sql(f"{_INSERT}(%s, %s, %s, %s, %s, %s, %s, %s, %s)", list(rows))


def _write_moment(moment: datetime) -> str:
    # As `UtcDateTime` has it in SQLite.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _record_challenges(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    # In one order everywhere: two receivers that record the same two challenges must not wait for each other.
    for row in sorted(rows, key=lambda row: (row["application_urn"], row["challenged_at"])):
        statement = dialect.insert(_challenges).values(row)
        newest, known = statement.excluded.challenged_at, _challenges.c.challenged_at
        later = func.greatest(newest, known) if dialect is postgresql else func.max(newest, known)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["application_urn"], set_={"challenged_at": later, "challenge_count": _challenges.c.challenge_count + 1}
            )
        )
        second = row["challenged_at"].replace(microsecond=0)
        time = {"application_urn": row["application_urn"], "challenged_at": second}
        connection.execute(dialect.insert(_times).values(time).on_conflict_do_nothing())
