"""Phrases of the pages about a person: the officer's, the citizen's, and requests to correct."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.description import Text

PERSON: Mapping[str, Text] = {
    # The officer's page
    "person": Text("Tra cứu một người", "Look at a person"),
    "person_says": Text(
        "Mọi cơ sở dữ liệu nói gì về một người, trong phạm vi mà thủ tục cần. Mỗi lần tra cứu được "
        "ghi vào nhật ký mà chính người đó xem được.",
        "What every database says of a person, as far as the procedure needs it. Each look is "
        "entered in a log that the person can read.",
    ),
    "number": Text("Số định danh", "Person number"),
    "purpose": Text("Thủ tục", "Procedure"),
    "purpose_hint": Text(
        "Các thủ tục mà mã truy cập cho phép. Thủ tục quyết định được xem những gì.",
        "The procedures that the token grants. The procedure decides what is shown.",
    ),
    "choose_purpose": Text("— chọn thủ tục —", "— choose a procedure —"),
    "look": Text("Tra cứu", "Look up"),
    "look_again": Text("Tra cứu lần khác", "Another look-up"),
    "look_in_other_language": Text("Look up again in English", "Tra cứu lại bằng tiếng Việt"),
    "refused": Text("Chưa tra cứu được", "Nothing was looked up"),
    "result": Text("Kết quả tra cứu", "What is recorded"),
    "looked_at": Text("Tra cứu lúc", "Looked up at"),
    "whole_view": Text("Xem lại toàn bộ", "Back to the whole view"),
    "key": Text("Cách đọc", "How to read it"),
    "key_ANSWERED": Text("có bản ghi, đã trả lời", "there are records"),
    "key_NONE": Text("không có bản ghi", "none recorded"),
    "key_UNKNOWN": Text("chưa biết, kèm lý do", "not known, with the reason"),
    "key_MAINTENANCE": Text("đang bảo trì, chưa biết", "under maintenance, not known"),
    "key_NOT_OPERATING": Text("chưa vận hành, chưa biết", "not operating, not known"),
    "key_DENIED": Text("không được xem, không nói có hay không", "may not be seen"),
    "key_WITHHELD": Text("luật không cho cung cấp", "withheld by law"),
    "demo_people": Text("Số dùng thử", "Numbers to try"),
    # The whole view
    "complete": Text("Đầy đủ", "Complete"),
    "complete_as_permitted": Text(
        "Đầy đủ trong phạm vi được xem", "Complete as far as may be seen"
    ),
    "incomplete": Text("Chưa đầy đủ", "Incomplete"),
    "complete_says": Text(
        "Mọi cơ sở dữ liệu được hỏi đều trả lời.", "Every database that was asked did answer."
    ),
    "incomplete_says": Text(
        "Có nơi chưa trả lời hoặc chưa trả lời hết. Phần đó chưa biết, không có nghĩa là không có.",
        "Some databases did not answer, or not wholly. What they hold is not known; that does not "
        "mean that there is nothing.",
    ),
    "closed_count": Text("phần không được xem", "parts that may not be seen"),
    "only_none_is_none": Text(
        "Chỉ “Không có bản ghi” mới nghĩa là không có.",
        "Only “None recorded” means that there is none.",
    ),
    "identification": Text("Xác định người", "Identification"),
    "present_number": Text("Số định danh hiện tại", "Present number"),
    "number_unknown": Text("chưa xác định được", "not known"),
    "requested_number": Text("Số đã hỏi", "Number asked for"),
    "notices": Text("Cần lưu ý", "To be noticed"),
    "facts": Text("Kết luận từ các bản ghi", "What follows from the records"),
    "not_permitted": Text("Không được xem", "May not be seen"),
    "registers": Text("Các cơ sở dữ liệu", "The databases"),
    "contents": Text("Mục lục", "Contents"),
    "owner": Text("Cơ quan chủ quản", "Owner"),
    "asked_at": Text("Hỏi lúc", "Asked at"),
    "as_of_source": Text("dữ liệu tính đến", "data as of"),
    "record": Text("bản ghi", "record"),
    "records": Text("bản ghi", "records"),
    "here": Text("ở đây", "here"),
    "none_recorded": Text("không có bản ghi", "none recorded"),
    "within": Text("Trong phạm vi", "Within"),
    "not_known": Text("chưa biết có hay không", "not known whether there is any"),
    "fact_unknown": Text("chưa xác định được", "not known"),
    "birth_date": Text("Ngày sinh", "Date of birth"),
    "not_answered": Text("chưa hỏi được", "could not be asked"),
    "not_answered_says": Text(
        "Chưa hỏi được nên chưa biết có hay không.",
        "It could not be asked, so it is not known whether there is any.",
    ),
    "denied_list": Text(
        "Không được xem nên không biết có hay không.",
        "It may not be seen, so this does not say whether there is any.",
    ),
    "denied_fact": Text("Không được xem.", "It may not be seen."),
    "missing": Text("Còn thiếu", "Missing"),
    "scope_granted_by": Text(
        "Phạm vi (scope) do cơ quan chủ quản cơ sở dữ liệu cấp.",
        "A scope is granted by the owner of the database.",
    ),
    "purpose_granted_by": Text(
        "Thủ tục đã chọn không gồm nội dung này, theo thỏa thuận với cơ quan chủ quản. Nếu hồ sơ "
        "thuộc thủ tục khác, hãy tra cứu theo thủ tục đó.",
        "The procedure does not include this, as settled with the owner. If the case is of another "
        "procedure, look up under that one.",
    ),
    "closed_to_citizens": Text(
        "Nội dung này có thể là của người khác trong cùng hồ sơ, nên không hiển thị ở đây.",
        "This may be somebody else's in the same case, and is not shown here.",
    ),
    "closed_fields": Text("Trường không được xem", "Fields that may not be seen"),
    "empty_fields": Text("Bản ghi không ghi", "The record does not state"),
    "no_fields": Text("Không có trường nào được xem.", "None of its fields may be seen."),
    "more": Text("Xem thêm", "See more"),
    "more_says": Text(
        "Còn bản ghi chưa hiển thị ở đây.", "There are more records than are shown here."
    ),
    "cut_says": Text(
        "Cơ sở dữ liệu còn bản ghi khác, nhiều hơn mức hiển thị được. Liên hệ cơ quan chủ quản.",
        "The database holds more records than can be shown. Call its owner.",
    ),
    "inner_more_says": Text(
        "Còn bản ghi: mở riêng danh sách để xem thêm.",
        "There are more: open the list by itself to see them.",
    ),
    "open_list": Text("Mở riêng danh sách này", "Open this list by itself"),
    "may_be_others": Text("có thể còn người khác", "there may be others"),
    "relatives_unknown": Text("chưa biết có ai hay không", "not known whether there is anybody"),
    "nobody": Text("không có ai", "nobody"),
    "who_to_call_says": Text(
        "Những nơi sau chưa trả lời hoặc chưa trả lời hết:",
        "These did not answer, or not wholly:",
    ),
    "contact_unknown": Text("chưa có số liên hệ", "no contact is stated"),
    # Conflicts
    "conflicts": Text("Dữ liệu mâu thuẫn", "Records that contradict each other"),
    "conflicts_found": Text(
        "Có bản ghi mâu thuẫn với nhau.", "Some records contradict each other."
    ),
    "no_conflicts": Text(
        "Đã kiểm tra mọi quy tắc: không có mâu thuẫn.",
        "Every rule was checked: there is no contradiction.",
    ),
    "conflicts_unknown": Text(
        "Chưa thấy mâu thuẫn, nhưng có quy tắc chưa kiểm tra được: chưa biết có hay không.",
        "No contradiction so far, but some rules could not be checked: it is not known whether "
        "there is any.",
    ),
    "unchecked": Text("Quy tắc chưa kiểm tra được", "Rules that could not be checked"),
    "prevails": Text("có giá trị hơn theo luật", "prevails by law"),
    "none_prevails": Text(
        "Luật không định bên nào có giá trị hơn: phải đối chiếu giấy tờ gốc.",
        "The law prefers none: the original papers have to be looked into.",
    ),
    "severity": Text("mức độ", "severity"),
    "says": Text("ghi", "says"),
    # The history
    "timeline": Text("Dòng thời gian", "History"),
    "no_events": Text("Không có sự kiện nào được ghi.", "No event is recorded."),
    "events_unknown": Text(
        "Chưa biết có sự kiện hay không.", "It is not known whether there are events."
    ),
    "gaps": Text("Có thể còn thiếu", "What may be missing"),
    "until": Text("chỉ từ ngày này trở về trước", "only on this day and before"),
    "earlier_events": Text("Xem sự kiện trước đó", "See earlier events"),
    # The citizen's page
    "me": Text("Dữ liệu của tôi", "My data"),
    "me_says": Text(
        "Các cơ sở dữ liệu tư pháp nói gì về bạn, còn thiếu gì, ai đã xem, và làm gì khi thấy sai.",
        "What the justice databases say about you, what is missing, who looked, and what to do "
        "about a mistake.",
    ),
    "choose_citizen": Text("Chọn một công dân dùng thử", "Choose a demo citizen"),
    "choose_citizen_says": Text(
        "Bấm một lần là xem như người đó. Những người này không có thật.",
        "One click and you look as that person. These people are made up.",
    ),
    "no_demo_citizen": Text(
        "Trang không được mở từ chính máy đang chạy bản dùng thử.",
        "The page is not opened on the machine that runs the demo.",
    ),
    "citizen_sign_in_says": Text(
        "Trang này nhận diện công dân bằng tiêu đề Authorization: Bearer do cổng đăng nhập gửi "
        "kèm. Yêu cầu này không có tiêu đề đó. Hãy mở trang qua cổng dịch vụ công.",
        "This page knows citizens by the header Authorization: Bearer, which the sign-on proxy "
        "sends. This request has none. Open the page through the public service portal.",
    ),
    "not_shown": Text("Chưa hiển thị được", "This cannot be shown"),
    "who_i_am": Text("Tôi là ai", "Who I am"),
    "family_and_status": Text("Gia đình và tình trạng", "Family and status"),
    "what_registers_hold": Text("Mỗi nơi ghi gì về tôi", "What each register holds about me"),
    "acts_for": Text(
        "Bạn đang xem thay cho người này với tư cách cha, mẹ, người giám hộ hoặc người được ủy "
        "quyền.",
        "You are looking for this person, as a parent, guardian or agent.",
    ),
    "is_missing": Text("Còn thiếu gì", "What is missing"),
    "nothing_missing": Text(
        "Không thiếu phần nào của các nơi đã hỏi.", "Nothing is missing of what was asked."
    ),
    "masked_says": Text(
        "Số của bạn và của người khác được che bớt, để người đứng cạnh không đọc được.",
        "Your number, and those of others, are masked so that nobody reads them over your "
        "shoulder.",
    ),
    "withheld_by_law": Text("Luật không cho cung cấp", "Withheld by law"),
    "log": Text("Ai đã xem dữ liệu của tôi", "Who looked at my data"),
    "log_unknown": Text(
        "Chưa đọc được nhật ký truy cập: chưa biết ai đã xem.",
        "The access log could not be read: it is not known who looked.",
    ),
    "log_not_kept": Text(
        "Ở đây chưa lập nhật ký để tra cứu: chưa biết ai đã xem.",
        "No log is kept here that could be read: it is not known who looked.",
    ),
    "log_partial": Text(
        "Nhật ký chưa đầy đủ: có thể còn lần xem chưa hiện ở đây.",
        "The log is incomplete: there may be looks that are not shown here.",
    ),
    "followers": Text("Ai đang theo dõi sự kiện của tôi", "Who follows what happens to me"),
    "follow_section": Text("đăng ký theo dõi sự kiện", "interest in events"),
    "nobody_follows": Text("Không có ai theo dõi.", "Nobody does."),
    "interests_unknown": Text(
        "Chưa đọc được danh sách theo dõi: chưa biết ai đang theo dõi.",
        "The list could not be read: it is not known who does.",
    ),
    "follows_kinds": Text("Theo dõi", "Follows"),
    "follows_until": Text("đến", "until"),
    "nobody_looked": Text("Chưa có ai xem.", "Nobody has looked."),
    "log_until": Text("Nhật ký đầy đủ đến lúc", "The log is complete until"),
    "yourself": Text("Chính bạn", "Yourself"),
    "agency_not_named": Text("Cơ quan không nêu tên", "An agency that is not named"),
    "case": Text("Hồ sơ", "Case"),
    "parts_read": Text("Đã đọc", "Read"),
    "more_look_ups": Text("Xem các lần trước đó", "See earlier looks"),
    "correct": Text("Soạn đơn đề nghị chỉnh sửa", "Write a request to correct"),
    # The request to correct
    "correction": Text("Đơn đề nghị chỉnh sửa dữ liệu", "A request to correct data"),
    "correction_print": Text(
        "In trang này (Ctrl+P), điền chỗ trống, ký và nộp cho cơ quan ghi ở trên. Trang không gửi "
        "gì đi.",
        "Print this page (Ctrl+P), fill in the blanks, sign it, and hand it to the authority named "
        "above. Nothing is sent.",
    ),
    "correction_language": Text(
        "Đơn viết bằng tiếng Việt vì nộp cho cơ quan nhà nước.",
        "The request is in Vietnamese, since it goes to an authority.",
    ),
    "no_such_conflict": Text(
        "Không có mâu thuẫn nào như vậy trong dữ liệu của bạn.",
        "There is no such contradiction in your data.",
    ),
    "conflict_unknown": Text(
        "Chưa kiểm tra được nên chưa biết có mâu thuẫn này hay không. Hãy thử lại sau.",
        "It could not be checked, so it is not known whether there is this contradiction. Try "
        "again later.",
    ),
    "back_to_me": Text("Về trang dữ liệu của tôi", "Back to my data"),
    "not_stated": Text("không ghi", "not stated"),
}  # fmt: skip
