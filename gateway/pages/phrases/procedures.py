"""Phrases of the pages of procedures."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.description import Text

PROCEDURES: Mapping[str, Text] = {
    "check_in_other_language": Text("Check again in English", "Kiểm tra lại bằng tiếng Việt"),
    "procedures": Text("Thủ tục hành chính", "Administrative procedures"),
    "procedures_say": Text(
        "Chọn một thủ tục để kiểm tra điều kiện bằng dữ liệu của các cơ sở dữ liệu. Kết quả chỉ để "
        "tham khảo; người có thẩm quyền quyết định.",
        "Choose a procedure to check its conditions by what the databases hold. The result "
        "advises; the officer decides.",
    ),
    "can_be_checked": Text("Kiểm tra được ở đây", "Can be checked here"),
    "cannot_be_checked": Text("Chỉ là mục đích tra cứu", "A purpose of look-ups only"),
    "cannot_be_checked_says": Text(
        "Không kiểm tra được điều kiện của thủ tục này ở đây: thủ tục không có điều kiện để kiểm "
        "tra, hoặc một cơ sở dữ liệu cần thiết chưa được kết nối.",
        "The conditions of this procedure cannot be checked here: it has none, or a database that "
        "it needs is not connected.",
    ),
    "code": Text("Mã thủ tục", "Code"),
    "codes": Text("Mã", "Codes"),
    "conditions": Text("Điều kiện", "Conditions"),
    "conditions_to_check": Text("Điều kiện được kiểm tra", "What is checked"),
    "any_suffices": Text("đáp ứng một điều kiện là đủ", "one of these is enough"),
    "all_needed": Text("phải đáp ứng tất cả", "all of these are needed"),
    "law": Text("Luật áp dụng", "Law in force"),
    "competent_body": Text("Cơ quan thực hiện", "Competent body"),
    "deadline": Text("Thời hạn giải quyết", "Deadline"),
    "at_once": Text("giải quyết ngay", "at once"),
    "no_deadline": Text("không quy định riêng", "none of its own"),
    "law_from": Text("theo luật có hiệu lực từ", "by the law in force from"),
    "papers": Text("Giấy tờ", "Papers"),
    "case": Text("Hồ sơ", "The case"),
    "people": Text("Người trong hồ sơ", "People in the case"),
    "more_inputs": Text("Nội dung khác", "Other particulars"),
    "at": Text("ngày giải quyết", "day of the procedure"),
    "at_hint": Text(
        "Bỏ trống là hôm nay. Luật và tuổi tính vào ngày này, trước tối đa 12 tháng; sự việc là "
        "của hiện tại.",
        "Today if left empty; at most 12 months ahead. Law and ages are those of this day; facts "
        "are those of now.",
    ),
    "check": Text("Kiểm tra điều kiện", "Check the conditions"),
    "check_again": Text("Kiểm tra hồ sơ khác, hoặc kiểm tra lại", "Check another case, or again"),
    "result": Text("Kết quả kiểm tra", "Result of the check"),
    "advises": Text(
        "Kết quả chỉ để tham khảo; người có thẩm quyền quyết định.",
        "The result advises; the officer decides.",
    ),
    "outcome_MET": Text(
        "Mọi điều kiện kiểm tra được đều đáp ứng.", "Every condition that was checked is met."
    ),
    "outcome_NOT_MET": Text(
        "Có điều kiện không đáp ứng.", "At least one condition is not met."
    ),
    "outcome_UNKNOWN": Text(
        "Có điều kiện mà các cơ sở dữ liệu chưa cho biết. Chưa xác định được không có nghĩa là đáp "
        "ứng, cũng không có nghĩa là không đáp ứng.",
        "The databases do not tell of at least one condition. Not known does not mean met, nor "
        "does it mean not met.",
    ),
    "outcome_NEEDS_DOCUMENT": Text(
        "Có điều kiện phải được chứng minh bằng giấy tờ.",
        "At least one condition has to be shown by a document.",
    ),
    "outcome_NEEDS_PERSON": Text(
        "Dữ liệu không cản trở; còn lại là việc của người trong hồ sơ: có mặt, đồng ý, ký.",
        "Nothing in the data stands against it; people still have to be present, consent or sign.",
    ),
    "checked_on": Text("Xét theo luật và tuổi vào ngày", "Law and ages of"),
    "facts_as_of": Text("Sự việc theo dữ liệu lúc", "Facts as they stood at"),
    "no_facts": Text("Chưa hỏi được cơ sở dữ liệu nào", "No database was asked"),
    "why_not_known": Text("Vì sao chưa rõ", "Why it is not known"),
    "rests_on": Text("Căn cứ", "Rests on"),
    "to_bring": Text("Giấy tờ phải mang theo", "What to bring"),
    "nothing_to_bring": Text("Không phải mang giấy tờ nào.", "Nothing has to be brought."),
    "not_needed": Text("Không phải nộp, đã có dữ liệu", "Not needed: data replace it"),
    "no_papers": Text(
        "Việc kiểm tra này không xét giấy tờ.", "This check does not look at papers."
    ),
    "who_to_call_says": Text(
        "Cơ sở dữ liệu sau không trả lời. Liên hệ cơ quan chủ quản để xác minh:",
        "These databases did not answer. Call their owners to verify:",
    ),
    "nobody_to_call": Text(
        "Mọi cơ sở dữ liệu được hỏi đều trả lời.", "Every database that was asked did answer."
    ),
    "results": Text("Kết quả riêng của thủ tục", "What else the procedure asks"),
    "problems": Text("Nội dung không đọc được", "What could not be read"),
    "receipt": Text("Biên nhận có chữ ký số", "Signed receipt"),
    "receipt_says": Text(
        "Ai có khóa công khai của cổng đều kiểm tra được biên nhận này.",
        "Whoever has the public key of the gateway can verify this receipt.",
    ),
    "print_hint": Text(
        "In trang này (Ctrl+P): kết quả vừa một tờ A4.",
        "Print this page (Ctrl+P): the result fits on one A4 sheet.",
    ),
    "refused": Text("Chưa kiểm tra được", "The check was not made"),
    "not_found": Text("Không có thủ tục với mã này", "There is no procedure with this code"),
    "back": Text("Tất cả thủ tục", "All procedures"),
}  # fmt: skip
