"""Whether a server writes rows that it has from another: then its clock says nothing about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from connectors.backends.session import Session

_PREPARER = sa.make_url("postgresql://").get_dialect()().identifier_preparer
#: What everybody may see of a server of MariaDB. Those of Galera are missing where the server was
#: built without.
_STATUS = ("SLAVES_RUNNING", "WSREP_CONNECTED", "WSREP_CLUSTER_SIZE")
_VARIABLES = ("GTID_SLAVE_POS", "WSREP_ON")


async def is_mariadb_replica(session: Session) -> bool:
    """Return whether a server of MariaDB is a replica or a node of a cluster; one statement."""
    parts = [
        sa.select(table.c.VARIABLE_NAME, table.c.VARIABLE_VALUE).where(
            table.c.VARIABLE_NAME.in_([sa.literal_column(f"'{name}'") for name in names])
        )
        for name_of_table, names in (("GLOBAL_STATUS", _STATUS), ("GLOBAL_VARIABLES", _VARIABLES))
        for table in (_information_schema(name_of_table),)
    ]
    values = sa.union_all(*parts).subquery()
    rows = await session.rows(sa.select(values))
    return has_rows_of_others({str(name).upper(): str(value) for name, value in rows})


def has_rows_of_others(values: Mapping[str, str]) -> bool:
    """Return whether a server of MariaDB has rows from another one, by what it shows of itself.

    ``values``: by name of status or variable, as the server writes them; one of replication that
    is missing is none that says "no". A server that replicated by GTID keeps the position when it
    stops, also when it takes writes from then on: only its owner knows whether it became the
    original. Nodes of a Galera cluster show neither the transactions of the others nor how far
    they have applied them. A node that stands alone may be joined, or have been left, at any time.
    """
    is_replica = values.get("SLAVES_RUNNING") != "0" or values.get("GTID_SLAVE_POS") != ""
    is_node = (
        values.get("WSREP_ON", "OFF") != "OFF"
        or values.get("WSREP_CONNECTED", "OFF") != "OFF"
        or values.get("WSREP_CLUSTER_SIZE", "0") not in {"0", ""}
    )
    return is_replica or is_node


async def is_subscriber(session: Session, relations: Sequence[sa.TableClause]) -> bool:
    """Return whether PostgreSQL's logical replication writes any of ``relations``; one statement.

    Also where it writes a partition of one, a table that inherits from it, or the table that it is
    a partition of. Not recognised: what a view reads.
    """
    names = [sa.func.to_regclass(_PREPARER.format_table(relation)) for relation in relations]
    oid = postgresql.OID()
    tables = sa.select(sa.cast(sa.func.unnest(postgresql.array(names)), oid).label("relation")).cte(
        "tables", recursive=True
    )
    inherits = sa.table("pg_inherits", sa.column("inhrelid"), sa.column("inhparent"))
    below = sa.select(inherits.c.inhrelid).join_from(
        inherits, tables, inherits.c.inhparent == tables.c.relation
    )
    tables = tables.union(below)
    above: sa.ColumnElement[Any] = sa.func.pg_partition_ancestors(tables.c.relation)
    subscribed = sa.table("pg_subscription_rel", sa.column("srrelid"))
    statement = sa.select(sa.func.count()).where(
        sa.or_(
            subscribed.c.srrelid.in_(sa.select(tables.c.relation)),
            subscribed.c.srrelid.in_(sa.select(sa.cast(above, oid))),
        )
    )
    ((number,),) = await session.rows(statement)
    return bool(number)


def _information_schema(name: str) -> sa.TableClause:
    columns = ("VARIABLE_NAME", "VARIABLE_VALUE")
    return sa.table(name, *map(sa.column, columns), schema="information_schema")
