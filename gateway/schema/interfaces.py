"""Interfaces of the schema: what all records, all lists and all sections have in common.

A client writes one fragment for all lists, and one rule for all records in its cache
(``docs/decisions/0035-types-for-client-caches.md``). No field returns an interface whose type would
have to be resolved: rows are read under their own types.
"""

from __future__ import annotations

from typing import Any

import strawberry

from connectors.description import Text
from gateway.schema.factory import TypeFactory
from gateway.schema.field_definitions import attribute_field, list_annotation
from gateway.schema.shared_types import database_type, source_type


def record_interface(types: TypeFactory) -> Any:
    """Return the interface of all records."""
    title = Text(
        "mã mờ của bản ghi, dùng cho bộ nhớ tạm của ứng dụng; không mang dữ liệu cá nhân",
        "opaque id of the record, for a client's cache; it carries no personal data",
    )
    fields = [attribute_field("record_id", strawberry.ID, title)]
    return types.interface("Record", fields, Text("Một bản ghi", "A record"))


def record_list_interface(types: TypeFactory) -> Any:
    """Return the interface of all lists of records."""
    fields = [
        attribute_field(
            "items",
            list_annotation(record_interface(types)) | None,
            Text("các bản ghi", "the records"),
        ),
        attribute_field(
            "truncated",
            bool | None,
            Text(
                "còn bản ghi chưa hiển thị: số bản ghi ở đây không phải là tổng số",
                "there are more than are shown: however many are here, it is not their number",
            ),
        ),
        attribute_field(
            "next_cursor",
            str | None,
            Text(
                "trang sau bắt đầu từ đây (after); null: đây là trang cuối",
                "where the next page begins (after); null: this is the last page",
            ),
        ),
        _source(types),
    ]
    return types.interface("RecordList", fields, Text("Danh sách bản ghi", "A list of records"))


def single_record_interface(types: TypeFactory) -> Any:
    """Return the interface of the answer for a record that occurs at most once."""
    title = Text("bản ghi", "the record")
    exists_text = Text(
        "có hay không; null là chưa xác định được",
        "whether there is one; null: that is not known",
    )
    fields = [
        attribute_field("item", record_interface(types) | None, title),
        attribute_field("exists", bool | None, exists_text),
        _source(types),
    ]
    description = Text("Bản ghi duy nhất", "The only record of its kind")
    return types.interface("SingleRecord", fields, description)


def section_interface(types: TypeFactory) -> Any:
    """Return the interface of all sections."""
    title = Text("cơ sở dữ liệu của phần này", "the database of this section")
    fields = [attribute_field("database", database_type(types), title)]
    return types.interface("Section", fields, Text("Phần dữ liệu", "A database's part of a view"))


def _source(types: TypeFactory) -> Any:
    """Return the field ``source``, which every list has."""
    return attribute_field("source", source_type(types), Text("báo cáo nguồn", "source"))
