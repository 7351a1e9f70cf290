"""Former names of settings are accepted and reported as deprecated."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway.settings import Settings, load


def _load(tmp_path: Path, text: str) -> Settings:
    config = tmp_path / "gateway.toml"
    config.write_text(text, "utf-8")
    return load(config)


def test_a_former_name_sets_the_setting_and_is_said_to_be_deprecated(tmp_path: Path) -> None:
    settings = _load(tmp_path, "[limits]\ndocuments = 7\nnew_documents = 8\n")
    limits = settings.limits
    assert (limits.cached_documents, limits.new_documents_per_minute) == (7, 8)
    assert settings.deprecations() == [
        "limits.documents is deprecated: it is called limits.cached_documents now",
        "limits.new_documents is deprecated: it is called limits.new_documents_per_minute now",
    ]


def test_a_former_name_counts_in_the_environment_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUSTICE_GATEWAY_LIMITS__NEW_DOCUMENTS", "9")
    settings = load()
    assert settings.limits.new_documents_per_minute == 9
    assert len(settings.deprecations()) == 1


def test_the_present_names_are_not_deprecated(tmp_path: Path) -> None:
    settings = _load(tmp_path, "[limits]\ncached_documents = 7\n")
    assert (settings.limits.cached_documents, settings.deprecations()) == (7, [])


def test_both_names_at_once_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="give one"):
        _load(tmp_path, "[limits]\ndocuments = 7\ncached_documents = 8\n")


def test_a_former_name_is_validated_as_the_present_one(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="cached_documents"):
        _load(tmp_path, "[limits]\ndocuments = 0\n")
