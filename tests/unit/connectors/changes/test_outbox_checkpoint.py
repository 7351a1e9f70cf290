"""Checkpoints of an outbox: what they say is read back, also from those of before."""

from __future__ import annotations

import pytest

from connectors.changes.outbox_checkpoint import OutboxCheckpoint


@pytest.mark.parametrize("is_stated", [True, False], ids=["stated", "not_stated"])
@pytest.mark.parametrize("mark", ["", "0425e594"], ids=["application", "triggers"])
def test_a_checkpoint_is_read_back(mark: str, is_stated: bool) -> None:
    checkpoint = OutboxCheckpoint("1:2:3", mark, is_stated)
    assert OutboxCheckpoint.parse(checkpoint.text()) == checkpoint


@pytest.mark.parametrize(
    ("text", "checkpoint"),
    [("1:2:3", OutboxCheckpoint("1:2:3")), ("1:2:3#04", OutboxCheckpoint("1:2:3", "04"))],
    ids=["application", "triggers"],
)
def test_a_checkpoint_without_a_word_on_statements_is_one_without(
    text: str, checkpoint: OutboxCheckpoint
) -> None:
    assert (OutboxCheckpoint.parse(text), checkpoint.text()) == (checkpoint, text)


def test_what_ends_otherwise_is_no_checkpoint() -> None:
    with pytest.raises(ValueError, match="no checkpoint"):
        OutboxCheckpoint.parse("1:2:3#04#more")
