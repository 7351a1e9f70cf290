"""Phrases of the pages of published operations."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.description import Text

OPERATIONS: Mapping[str, Text] = {
    "operations": Text("Thao tác công bố", "Published operations"),
    "operations_say": Text(
        "Thao tác đã được thẩm định: phần mềm của các cơ quan gọi đúng những câu hỏi này, không "
        "câu hỏi nào khác. Ở đây có thể đọc và thử từng thao tác.",
        "Operations that were reviewed: software of other bodies asks just these questions and no "
        "others. Here each can be read and tried.",
    ),
    "mine": Text("Gọi được", "You may call"),
    "not_mine": Text("Dành cho ứng dụng khác", "For other clients"),
    "everybodys": Text("Tất cả thao tác", "All operations"),
    "nothing_mine": Text(
        "Không thao tác nào được công bố cho ứng dụng này. Cơ quan chủ quản của thao tác quyết "
        "định ứng dụng nào được gọi.",
        "No operation is published for this client. The owner of an operation decides who may "
        "call it.",
    ),
    "back": Text("Tất cả thao tác", "All operations"),
    "about": Text("Về thao tác này", "About this operation"),
    "owner": Text("Cơ quan chủ quản", "Owner"),
    "version": Text("Phiên bản", "Version"),
    "purposes": Text("Mục đích", "Purposes"),
    "no_purpose": Text("không cần nêu mục đích", "none is needed"),
    "cost": Text("Chi phí tối đa", "Cost at most"),
    "lends": Text("Quyền được cho mượn khi gọi", "Rights that a call is lent"),
    "lends_nothing": Text("không quyền nào", "none"),
    "clients": Text("Ứng dụng được gọi", "Who may call it"),
    "your_client": Text("ứng dụng của bạn", "your client"),
    "variables": Text("Biến", "Variables"),
    "no_variables": Text("Thao tác này không có biến.", "This operation has no variables."),
    "type": Text("kiểu", "type"),
    "meaning": Text("ý nghĩa", "meaning"),
    "document": Text("Câu truy vấn", "The document"),
    "example": Text("Ví dụ", "Example"),
    "openapi": Text("Mô tả OpenAPI của mọi thao tác", "OpenAPI of all operations"),
    "try_it": Text("Thử", "Try it"),
    "try_says": Text(
        "Gửi yêu cầu thật, với quyền của bạn: dữ liệu là thật, và lần gọi được ghi nhật ký.",
        "This sends a request for good, with your rights: data are real, and the call is recorded.",
    ),
    "purpose": Text("mục đích", "purpose"),
    "choose_purpose": Text("— chọn mục đích —", "— choose a purpose —"),
    "not_granted": Text("mã truy cập không có", "not in your token"),
    "call": Text("Gọi thao tác", "Call the operation"),
    "kept_says": Text("Nội dung đã nhập được giữ nguyên để gửi lại.",
                      "What you typed is kept, to be sent again."),
    "call_in_other_language": Text("Call again in English", "Gọi lại bằng tiếng Việt"),
    "result": Text("Kết quả", "Result"),
    "answered": Text("Đã trả lời", "Answered"),
    "answered_with_errors": Text(
        "Đã trả lời, có phần không có dữ liệu vì các lý do sau; null không có nghĩa là “không có”.",
        "Answered, but parts are missing for these reasons; null does not mean “none”.",
    ),
    "absent_says": Text(
        "Danh sách rỗng chỉ có nghĩa là “không có” khi source.state là ANSWERED, trong phạm vi "
        "coverage.",
        "An empty list means “none” only where source.state is ANSWERED, and within coverage.",
    ),
    "refused": Text("Chưa gọi được", "The call was refused"),
    "lacking": Text("Chưa gọi được thao tác này", "You may not call this operation"),
    "lacking_client": Text(
        "Thao tác chưa được công bố cho ứng dụng này. Cơ quan chủ quản cấp:",
        "The operation is not published for this client. Its owner grants that:",
    ),
    "lacking_purpose": Text(
        "Mã truy cập không có mục đích nào của thao tác. Đơn vị vận hành cổng tra cứu cấp; cần có "
        "một trong các mục đích:",
        "The token has none of the purposes of the operation. The operator of this gateway grants "
        "them; one of these is needed:",
    ),
}  # fmt: skip
