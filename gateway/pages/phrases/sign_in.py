"""Phrases of the pages on which people sign in and out."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.description import Text

SIGN_IN: Mapping[str, Text] = {
    "not_signed_in": Text("Chưa đăng nhập được", "You are not signed in"),
    "try_again": Text("Đăng nhập lại", "Sign in again"),
    "nothing_sent": Text(
        "Không có dữ liệu nào được đọc hoặc gửi đi.", "Nothing was read, and nothing was sent."
    ),
    "first_page": Text("Về trang đầu", "To the first page"),
    "is_signed_in": Text("Đã đăng nhập", "You are signed in"),
    "go_back": Text(
        "Hãy đóng thẻ này, quay lại thẻ có biểu mẫu và bấm gửi lần nữa. Nội dung đã nhập vẫn còn ở "
        "đó.",
        "Close this tab, go back to the tab with the form, and send it again. What you typed is "
        "still there.",
    ),
    "is_signed_out": Text("Đã đăng xuất", "You are signed out"),
    "signed_out_here": Text(
        "Phiên đăng nhập ở cổng này đã kết thúc trên mọi máy chủ.",
        "Your session at this gateway has ended, on every server.",
    ),
    "leaving": Text(
        "Đang chuyển đến nơi xác thực để đăng xuất ở đó. Nếu trang không tự chuyển:",
        "You are being taken to the issuer, to sign out there too. If nothing happens:",
    ),
    "one_more_step": Text(
        "Còn một bước: đăng xuất ở nơi xác thực, để người dùng máy sau không vào bằng tên bạn.",
        "One more step: sign out at the issuer, so that nobody after you gets in by your name.",
    ),
    "sign_out_there": Text("Đăng xuất ở nơi xác thực", "Sign out at the issuer"),
    "issuer_silent": Text(
        "Chưa đăng xuất được ở nơi xác thực vì nơi đó không trả lời. Hãy tự đăng xuất ở đó, hoặc "
        "đóng hẳn trình duyệt.",
        "You could not be signed out at the issuer: it does not answer. Sign out there yourself, "
        "or close the browser.",
    ),
    "still_signed_in": Text("Chưa đăng xuất", "You are not signed out"),
    "not_found": Text("Không có trang này", "There is no such page"),
}  # fmt: skip
