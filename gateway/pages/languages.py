"""The languages of pages: Vietnamese first, English by a link (``?lang=en``).

``PHRASES`` holds what the pages themselves say. Whatever comes from the gateway (titles, sentences,
states) is bilingual where it is declared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from starlette.requests import Request

from connectors.description import Text
from gateway.runtime.clock import LEGAL_ZONE

LanguageCode = Literal["vi", "en"]
#: The parameter of an address that names the language.
PARAMETER = "lang"


@dataclass(frozen=True, slots=True)
class Language:
    """The language of a page. ``code``: as in the attribute ``lang`` (BCP 47)."""

    code: LanguageCode

    @property
    def other(self) -> Language:
        """The language that the switch leads to."""
        return Language("en" if self.code == "vi" else "vi")

    def choose(self, text: Text | Mapping[str, str]) -> str:
        """Return ``text`` in this language; a mapping is a Text as answers show it."""
        if isinstance(text, Text):
            return text.en if self.code == "en" else text.vi
        return text[self.code]

    def sentence(self, text: Text | Mapping[str, str]) -> str:
        """Return ``text`` with a capital: titles are declared as they stand in a sentence."""
        chosen = self.choose(text)
        return chosen[:1].upper() + chosen[1:]

    def day(self, value: date | str) -> str:
        """Return a date as people write it; a text is a date of ISO 8601."""
        day = date.fromisoformat(value) if isinstance(value, str) else value
        return (
            f"{day:%d/%m/%Y}"
            if self.code == "vi"
            else f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
        )

    def moment(self, value: str) -> str:
        """Return a moment (ISO 8601, with its zone) as clocks in Viet Nam show it."""
        local = datetime.fromisoformat(value).astimezone(LEGAL_ZONE)
        return f"{local:%H:%M:%S} {'ngày' if self.code == 'vi' else 'on'} {self.day(local.date())}"

    def number(self, value: str) -> str:
        """Return a decimal number with its thousands apart."""
        whole, _, part = value.partition(".")
        sign, digits = (whole[:1], whole[1:]) if whole.startswith("-") else ("", whole)
        apart, point = (".", ",") if self.code == "vi" else (",", ".")
        groups = f"{int(digits):,}".replace(",", apart)
        return f"{sign}{groups}{point + part if part.strip('0') else ''}"


_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip

VIETNAMESE, ENGLISH = Language("vi"), Language("en")


def language_of(request: Request) -> Language:
    """Return the language that the address asks for: Vietnamese unless it says ``lang=en``."""
    return ENGLISH if request.query_params.get(PARAMETER) == "en" else VIETNAMESE


def phrases(language: Language) -> dict[str, str]:
    """Return what pages say, in one language."""
    return {name: language.choose(text) for name, text in PHRASES.items()}


PHRASES: Mapping[str, Text] = {
    "gateway": Text("Cổng tra cứu dữ liệu tư pháp", "Justice gateway"),
    "skip": Text("Đến nội dung chính", "Skip to the main content"),
    "switch": Text("English", "Tiếng Việt"),
    "check_in_other_language": Text("Check again in English", "Kiểm tra lại bằng tiếng Việt"),
    "demo": Text("BẢN DÙNG THỬ", "DEMO"),
    "demo_says": Text(
        "Mọi người và mọi dữ liệu ở đây đều là giả. Không dùng cho hồ sơ thật.",
        "All people and all data here are made up. Not for real cases.",
    ),
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
    "legal_basis": Text("Căn cứ pháp lý", "Legal basis"),
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
    "case_number": Text("số hồ sơ", "case number"),
    "case_number_hint": Text(
        "Bắt buộc. Chữ, số và . / : - _ , không có khoảng trắng. Ví dụ: 000.00.11.H29-261123-0001",
        "Required. Letters, digits and . / : - _ , no spaces. Example: 000.00.11.H29-261123-0001",
    ),
    "at": Text("ngày giải quyết", "day of the procedure"),
    "at_hint": Text(
        "Bỏ trống là hôm nay. Luật và tuổi tính vào ngày này, trước tối đa 12 tháng; sự việc là "
        "của hiện tại.",
        "Today if left empty; at most 12 months ahead. Law and ages are those of this day; facts "
        "are those of now.",
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
    "required": Text("bắt buộc", "required"),
    "optional": Text("không bắt buộc", "optional"),
    "not_chosen": Text("— không nêu —", "— not stated —"),
    "yes": Text("có", "yes"),
    "no": Text("không", "no"),
    "not_known": Text("chưa xác định được", "not known"),
    "not_stated": Text("không rõ hoặc không ghi", "not known, or not stated"),
    "none": Text("không có", "none"),
    "check": Text("Kiểm tra điều kiện", "Check the conditions"),
    "check_again": Text("Kiểm tra hồ sơ khác, hoặc kiểm tra lại", "Check another case, or again"),
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
    "as_of": Text("tính đến", "as of"),
    "to_bring": Text("Giấy tờ phải mang theo", "What to bring"),
    "nothing_to_bring": Text("Không phải mang giấy tờ nào.", "Nothing has to be brought."),
    "not_needed": Text("Không phải nộp, đã có dữ liệu", "Not needed: data replace it"),
    "no_papers": Text(
        "Việc kiểm tra này không xét giấy tờ.", "This check does not look at papers."
    ),
    "who_to_call": Text("Liên hệ cơ quan nào", "Who to call"),
    "who_to_call_says": Text(
        "Cơ sở dữ liệu sau không trả lời. Liên hệ cơ quan chủ quản để xác minh:",
        "These databases did not answer. Call their owners to verify:",
    ),
    "nobody_to_call": Text(
        "Mọi cơ sở dữ liệu được hỏi đều trả lời.", "Every database that was asked did answer."
    ),
    "results": Text("Kết quả riêng của thủ tục", "What else the procedure asks"),
    "sources": Text("Cơ sở dữ liệu đã hỏi", "Databases that were asked"),
    "problems": Text("Nội dung không đọc được", "What could not be read"),
    "receipt": Text("Biên nhận có chữ ký số", "Signed receipt"),
    "receipt_says": Text(
        "Ai có khóa công khai của cổng đều kiểm tra được biên nhận này.",
        "Whoever has the public key of the gateway can verify this receipt.",
    ),
    "request_id": Text("Mã yêu cầu", "Request"),
    "print_hint": Text(
        "In trang này (Ctrl+P): kết quả vừa một tờ A4.",
        "Print this page (Ctrl+P): the result fits on one A4 sheet.",
    ),
    "refused": Text("Chưa kiểm tra được", "The check was not made"),
    "kept": Text(
        "Nội dung đã nhập được giữ nguyên trong biểu mẫu.", "What you typed is kept in the form."
    ),
    "missing_rights": Text("Còn thiếu", "Missing"),
    "fill_in": Text("Cần điền nội dung này.", "This has to be filled in."),
    "bad_date": Text("Ngày không hợp lệ.", "This is no date."),
    "bad_amount": Text("Số không hợp lệ.", "This is no number."),
    "not_found": Text("Không có thủ tục với mã này", "There is no procedure with this code"),
    "back": Text("Tất cả thủ tục", "All procedures"),
    "error": Text("Không trả lời được", "No answer"),
}  # fmt: skip
