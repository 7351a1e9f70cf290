"""Phrases that every page may use: its frame, and words that several pages share."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.description import Text

FRAME: Mapping[str, Text] = {
    "gateway": Text("Cổng tra cứu dữ liệu tư pháp", "Justice gateway"),
    "sections": Text("Các trang", "Pages"),
    "nav_procedures": Text("Thủ tục", "Procedures"),
    "nav_person": Text("Tra cứu một người", "A person"),
    "nav_me": Text("Dữ liệu của tôi", "My data"),
    "nav_catalogue": Text("Danh mục", "Catalogue"),
    "nav_status": Text("Tình trạng", "Status"),
    "nav_statistics": Text("Thống kê", "Statistics"),
    "nav_operations": Text("Thao tác công bố", "Published operations"),
    "nav_explorer": Text("Khám phá", "Explore"),
    "skip": Text("Đến nội dung chính", "Skip to the main content"),
    "switch": Text("English", "Tiếng Việt"),
    "demo": Text("BẢN DÙNG THỬ", "DEMO"),
    "demo_says": Text(
        "Mọi người và mọi dữ liệu ở đây đều là giả. Không dùng cho hồ sơ thật.",
        "All people and all data here are made up. Not for real cases.",
    ),
    "legal_basis": Text("Căn cứ pháp lý", "Legal basis"),
    "case_number": Text("số hồ sơ", "case number"),
    "case_number_hint": Text(
        "Bắt buộc. Chữ, số và . / : - _ , không có khoảng trắng. Ví dụ: 000.00.11.H29-261123-0001",
        "Required. Letters, digits and . / : - _ , no spaces. Example: 000.00.11.H29-261123-0001",
    ),
    "number_hint": Text(
        "12 chữ số trên thẻ căn cước, hoặc 9 chữ số của CMND cũ",
        "12 digits of the identity card, or 9 of an old one",
    ),
    "numbers_hint": Text(
        "Mỗi người một dòng: 12 chữ số trên thẻ căn cước, hoặc 9 chữ số của CMND cũ",
        "One person a line: 12 digits of the identity card, or 9 of an old one",
    ),
    "lines_hint": Text("Mỗi nội dung một dòng", "One on each line"),
    "amount_hint": Text(
        "Chỉ ghi chữ số, dấu chấm cho phần lẻ", "Digits only, a point for decimals"
    ),
    "not_chosen": Text("— không nêu —", "— not stated —"),
    "json_hint": Text("Một giá trị JSON", "A JSON value"),
    "required": Text("bắt buộc", "required"),
    "optional": Text("không bắt buộc", "optional"),
    "yes": Text("có", "yes"),
    "no": Text("không", "no"),
    "not_known": Text("chưa xác định được", "not known"),
    "not_stated": Text("không rõ hoặc không ghi", "not known, or not stated"),
    "none": Text("không có", "none"),
    "recorded": Text(
        "Mỗi lần kiểm tra được ghi vào nhật ký truy cập dữ liệu của những người liên quan.",
        "Every check is entered in the access log of the people concerned.",
    ),
    "acts_as": Text("Đang thực hiện với tư cách", "Acting as"),
    "choose_demo": Text("Chọn một cán bộ dùng thử", "Choose a demo officer"),
    "choose_demo_says": Text(
        "Bấm một lần là vào vai cán bộ đó. Cán bộ này không có thật.",
        "One click and you act as that officer. These officers are made up.",
    ),
    "no_demo_officer": Text(
        "Không có cán bộ dùng thử nào được giao thủ tục này, hoặc trang không được mở từ chính máy "
        "đang chạy bản dùng thử.",
        "No demo officer has this procedure, or the page is not opened on the machine that runs "
        "the demo.",
    ),
    "sign_in": Text("Cần đăng nhập", "Sign-in is needed"),
    "sign_in_says": Text(
        "Trang này nhận diện cán bộ bằng tiêu đề Authorization: Bearer do cổng đăng nhập của cơ "
        "quan gửi kèm. Yêu cầu này không có tiêu đề đó. Hãy mở trang qua cổng đăng nhập, hoặc liên "
        "hệ người vận hành.",
        "This page knows officers by the header Authorization: Bearer, which the sign-on proxy of "
        "your agency sends. This request has none. Open the page through that proxy, or ask the "
        "operator.",
    ),
    "sign_in_here": Text(
        "Hãy đăng nhập bằng tài khoản công vụ; sau đó bạn quay lại đúng trang này.",
        "Sign in with your account at work; you come back to this page.",
    ),
    "sign_in_now": Text("Đăng nhập", "Sign in"),
    "signed_in_as": Text("Đang đăng nhập:", "Signed in:"),
    "sign_out": Text("Đăng xuất", "Sign out"),
    "session_ended": Text("Phiên đăng nhập đã kết thúc", "Your session has ended"),
    "session_ended_says": Text(
        "Chưa gửi gì cả, và nội dung đã nhập vẫn còn trong biểu mẫu bên dưới. Đăng nhập lại trong "
        "thẻ mới, rồi quay lại thẻ này và bấm gửi lần nữa.",
        "Nothing was sent, and what you typed is still in the form below. Sign in again in a new "
        "tab, then come back to this one and send the form again.",
    ),
    "sign_in_new_tab": Text("Đăng nhập lại (mở thẻ mới)", "Sign in again (in a new tab)"),
    "as_of": Text("tính đến", "as of"),
    "who_to_call": Text("Liên hệ cơ quan nào", "Who to call"),
    "sources": Text("Cơ sở dữ liệu đã hỏi", "Databases that were asked"),
    "request_id": Text("Mã yêu cầu", "Request"),
    "kept": Text(
        "Nội dung đã nhập được giữ nguyên trong biểu mẫu.", "What you typed is kept in the form."
    ),
    "missing_rights": Text("Còn thiếu", "Missing"),
    "fill_in": Text("Cần điền nội dung này.", "This has to be filled in."),
    "error": Text("Không trả lời được", "No answer"),
    "bad_date": Text("Ngày không hợp lệ.", "This is no date."),
    "bad_amount": Text("Số không hợp lệ.", "This is no number."),
}  # fmt: skip
