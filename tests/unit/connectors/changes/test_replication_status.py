"""What a server of MariaDB shows of itself, and whether it has rows of others.

Covers ``connectors.changes.replication``. The values are those that MariaDB 10.11 writes.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from connectors.changes.replication import has_rows_of_others

ORIGINAL = {"SLAVES_RUNNING": "0", "GTID_SLAVE_POS": ""}
WITHOUT_CLUSTER = ORIGINAL | {
    "WSREP_ON": "OFF",
    "WSREP_CONNECTED": "OFF",
    "WSREP_CLUSTER_SIZE": "0",
}
NODE = ORIGINAL | {"WSREP_ON": "ON", "WSREP_CONNECTED": "ON", "WSREP_CLUSTER_SIZE": "2"}


@pytest.mark.parametrize(
    "values", [ORIGINAL, WITHOUT_CLUSTER], ids=["built_without_galera", "galera_is_off"]
)
def test_a_server_that_replicates_nothing_is_an_original(values: Mapping[str, str]) -> None:
    assert not has_rows_of_others(values)


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(NODE, id="node"),
        pytest.param(NODE | {"WSREP_CLUSTER_SIZE": "1"}, id="single_node"),
        pytest.param(NODE | {"WSREP_CONNECTED": "OFF", "WSREP_CLUSTER_SIZE": "0"}, id="left_alone"),
        pytest.param(NODE | {"WSREP_ON": "OFF"}, id="writes_nothing_to_the_cluster"),
        pytest.param(WITHOUT_CLUSTER | {"SLAVES_RUNNING": "1"}, id="replica"),
        pytest.param(WITHOUT_CLUSTER | {"GTID_SLAVE_POS": "0-1-7"}, id="stopped_replica"),
    ],
)
def test_a_server_that_has_rows_of_others_is_none(values: Mapping[str, str]) -> None:
    assert has_rows_of_others(values)


@pytest.mark.parametrize("name", ["SLAVES_RUNNING", "GTID_SLAVE_POS"])
def test_a_server_that_does_not_say_is_none(name: str) -> None:
    assert has_rows_of_others({key: WITHOUT_CLUSTER[key] for key in WITHOUT_CLUSTER if key != name})
