"""The words of the report, Vietnamese first."""

from __future__ import annotations

from connectors.description import Text
from reconcile.engines.engine import UncheckedReason
from reconcile.report.case_checks import CheckScope
from reconcile.report.comparison import Comparability, FindingChange
from reconcile.report.figures import FigureState

STATES: dict[FigureState, Text] = {
    FigureState.HIDDEN: Text("ẩn", "hidden"),
    FigureState.NONE: Text("không có", "none"),
    FigureState.NOT_CHECKED: Text("chưa kiểm tra", "not checked"),
}

#: Whether a record was read; the keys are those of ``summary.json``.
EXTRACT_STATES: dict[str, Text] = {
    "COMPLETE": Text("đã đọc hết", "read to its end"),
    "INCOMPLETE": Text("chưa đọc hết", "not read to its end"),
    "FAILED": Text("đọc bị lỗi, chưa hết", "reading failed before its end"),
    "NOT_EXTRACTED": Text("không đọc", "not read"),
}

SCOPES: dict[CheckScope, Text] = {
    CheckScope.EVERYBODY: Text("đã kiểm tra với mọi người", "checked for everybody"),
    CheckScope.NOT_EVERYBODY: Text("có người chưa kiểm tra được", "not checked for some people"),
    CheckScope.NOBODY: Text("chưa kiểm tra với ai", "not checked for anybody"),
}

REASONS: dict[UncheckedReason, Text] = {
    UncheckedReason.NOT_EXTRACTED: Text("không đọc được", "was not read"),
    UncheckedReason.INCOMPLETE: Text("chỉ đọc được một phần", "was read in part"),
    UncheckedReason.UNREADABLE: Text("có giá trị không đọc được", "has values that cannot be read"),
}

CHANGES: dict[FindingChange, Text] = {
    FindingChange.NEW: Text("mới phát hiện", "new"),
    FindingChange.UNCHECKED_BEFORE: Text(
        "lần này thấy, lần trước chưa kiểm tra hết", "seen now; not everybody was checked last time"
    ),
    FindingChange.REMAINING: Text("vẫn còn", "remaining"),
    FindingChange.GONE: Text("không còn", "gone"),
    FindingChange.UNCHECKED_NOW: Text(
        "lần trước có, lần này chưa kiểm tra được", "seen last time; not checked this time"
    ),
}

COMPARABILITIES: dict[Comparability, Text] = {
    Comparability.COMPARED: Text("so với lần chạy trước", "compared with the last run"),
    Comparability.NO_EARLIER_RUN: Text(
        "Đây là lần chạy đầu tiên: chưa có gì để so sánh.",
        "This is the first run: there is nothing to compare it with.",
    ),
    Comparability.NO_EARLIER_FILES: Text(
        "Không đọc được tệp của lần chạy trước, nên không so sánh được.",
        "The files of the last run cannot be read, so nothing is compared.",
    ),
    Comparability.OTHER_RULES: Text(
        "Bộ quy tắc đã thay đổi so với lần chạy trước, nên không so sánh được.",
        "The rules were changed since the last run, so nothing is compared.",
    ),
    Comparability.OTHER_KEY: Text(
        "Khóa băm đã thay đổi so với lần chạy trước, nên không nhận lại được phát hiện nào.",
        "The key of keyed hashes was changed since the last run, so no finding can be recognised.",
    ),
}

MEASURE_TITLES: dict[str, Text] = {
    "records.numbered": Text("có số định danh", "with a citizen ID"),
    "parents.named.both": Text("có tên cả cha và mẹ", "both parents named"),
    "parents.named.mother": Text("chỉ có tên mẹ", "only the mother named"),
    "parents.named.father": Text("chỉ có tên cha", "only the father named"),
    "parents.named.neither": Text("không có tên cha, mẹ", "no parent named"),
    "parents.numbered.both": Text(
        "có số định danh của cả cha và mẹ", "citizen IDs of both parents"
    ),
    "parents.numbered.mother": Text("chỉ có số định danh của mẹ", "citizen ID of the mother only"),
    "parents.numbered.father": Text("chỉ có số định danh của cha", "citizen ID of the father only"),
    "parents.numbered.neither": Text(
        "không có số định danh của cha, mẹ", "citizen ID of no parent"
    ),
    "kind.digitised": Text("số hóa từ sổ giấy", "digitised from paper books"),
    "kind.registered": Text("đăng ký trên hệ thống điện tử", "registered electronically"),
    "kind.missing": Text("không rõ cách đăng ký", "way of registration not recorded"),
    "term.on_time": Text("đăng ký đúng hạn", "registered on time"),
    "term.late": Text("đăng ký quá hạn", "registered late"),
    "term.untold": Text("không xác định được có quá hạn không", "cannot be told whether late"),
}

PHRASES: dict[str, Text] = {
    "title": Text("Báo cáo đối soát dữ liệu toàn quốc", "Report of the national reconciliation"),
    "lead": Text(
        "Bản ghi của cùng một người trong các cơ sở dữ liệu mâu thuẫn với nhau ở đâu.",
        "Where records of one person in several databases contradict each other.",
    ),
    "run": Text("lần chạy", "run"),
    "day": Text("ngày kiểm tra", "day of the checks"),
    "started": Text("bắt đầu", "started"),
    "finished": Text("kết thúc", "finished"),
    "not_finished": Text("chưa kết thúc", "not finished"),
    "engine": Text("công cụ", "engine"),
    "checked": Text("Đã kiểm tra gì, chưa kiểm tra gì", "What was checked, and what was not"),
    "all_checked": Text(
        "Mọi quy tắc đã được kiểm tra với mọi người có trong dữ liệu đã đọc.",
        "Every rule was checked for everybody in the data that was read.",
    ),
    "not_all_checked": Text(
        "Có phần chưa kiểm tra được. Ở những chỗ đó báo cáo này không nói là không có mâu thuẫn.",
        "Some things were not checked. Of those this report does not say that there are no "
        "conflicts.",
    ),
    "rules_checked": Text("quy tắc kiểm tra với mọi người", "rules checked for everybody"),
    "rules_partly": Text(
        "quy tắc có người chưa kiểm tra được", "rules not checked for some people"
    ),
    "rules_unchecked": Text("quy tắc chưa kiểm tra với ai", "rules not checked for anybody"),
    "left_out": Text("Quy tắc chưa kiểm tra hết", "Rules that were not checked wholly"),
    "sources": Text("Dữ liệu đã đọc", "Data that was read"),
    "record": Text("cơ sở dữ liệu, bản ghi", "database, record"),
    "state": Text("tình trạng", "state"),
    "rows": Text("số dòng", "rows"),
    "unreadable": Text("giá trị không đọc được", "values that cannot be read"),
    "no_unreadable": Text("không có", "none"),
    "unknown_unreadable": Text("chưa biết", "not known"),
    "some": Text("có, dưới 10", "some, below 10"),
    "reason": Text("lý do", "reason"),
    "people_unchecked": Text("số người chưa kiểm tra", "people not checked"),
    "people_untold": Text("không rõ bao nhiêu", "not told how many"),
    "people_all": Text("mọi người", "everybody"),
    "case": Text("trường hợp", "case"),
    "of_rule": Text("quy tắc", "rule"),
    "engine_says": Text("dữ liệu mà quy tắc cần", "data that the rule needs"),
    "result": Text("Kết quả chung", "In total"),
    "findings": Text("phát hiện", "findings"),
    "people": Text("người có phát hiện", "people with findings"),
    "by_rule": Text("Theo quy tắc", "By rule"),
    "by_severity": Text("Theo mức độ", "By severity"),
    "by_database": Text("Theo cơ sở dữ liệu", "By database"),
    "by_province": Text("Theo tỉnh, thành phố", "By province"),
    "by_year": Text("Theo năm đăng ký", "By year of registration"),
    "rule_note": Text(
        "Một phát hiện là một lần các bản ghi của một người mâu thuẫn với nhau. Cách xử lý ghi ở "
        "dưới tên quy tắc.",
        "A finding is one time that records of a person contradict each other. What to do stands "
        "below the name of the rule.",
    ),
    "database_note": Text(
        "Một phát hiện giữa hai cơ sở dữ liệu được tính ở cả hai, nên cộng lại nhiều hơn tổng số.",
        "A finding between two databases counts in both, so they add up to more than the total.",
    ),
    "province_note": Text(
        "Theo nơi cư trú hiện tại: sau sáp nhập năm 2025, và dưới đó là tỉnh trước sáp nhập. Người "
        "được bảo vệ và người không rõ nơi cư trú ở dòng “không rõ”. "
        "Nơi cư trú không đọc được cũng vậy.",
        "By current residence: after the mergers of 2025, and below it the province before them. "
        "People who are protected, or whose residence is not recorded or was not read, "
        "stand in the last row.",
    ),
    "year_note": Text(
        "Năm đăng ký của bản ghi đầu tiên có ghi ngày đăng ký.",
        "The year in which the first record with a date of registration was registered.",
    ),
    "only_checked": Text(
        "Chỉ gồm những gì đã kiểm tra; xem mục 1.", "Only of what was checked; see section 1."
    ),
    "legal_basis": Text("căn cứ", "legal basis"),
    "advice": Text("cách xử lý", "what to do"),
    "severity": Text("mức độ", "severity"),
    "amount": Text("số phát hiện", "findings"),
    "database": Text("cơ sở dữ liệu", "database"),
    "province": Text("tỉnh, thành phố", "province"),
    "former": Text("trước sáp nhập", "before the mergers"),
    "former_unknown": Text("không rõ tỉnh trước sáp nhập", "province before the mergers not told"),
    "year": Text("năm", "year"),
    "unknown": Text("không rõ hoặc chưa đọc được", "not recorded, or not read"),
    "earlier": Text("trước", "before"),
    "chart": Text("biểu đồ", "chart"),
    "chart_note": Text(
        "Bảng bên cạnh có mọi số liệu. Ô gạch chéo là số được ẩn; ô nét đứt là chưa kiểm tra.",
        "The table beside it has all figures. Hatched is what is hidden; a broken frame is what "
        "was not checked.",
    ),
    "largest": Text("lớn nhất", "largest"),
    "no_shown": Text("không có số nào được hiện", "no figure is shown"),
    "comparison": Text("So với lần chạy trước", "Against the last run"),
    "comparison_note": Text(
        "“Không còn” chỉ tính những gì đã được kiểm tra lại lần này. Những gì "
        "lần này chưa kiểm tra "
        "được thì có thể vẫn còn.",
        "“Gone” is only what was checked again this time. What was not checked this time may still "
        "be there.",
    ),
    "earlier_run": Text("lần trước", "last run"),
    "this_run": Text("lần này", "this run"),
    "all_rules": Text("tất cả", "all"),
    "completeness": Text("Mức độ đầy đủ của dữ liệu", "How complete the data is"),
    "completeness_note": Text(
        "Trên các bản ghi có hiệu lực trong dữ liệu đã đọc. Quá hạn: khai sinh "
        "sau 60 ngày (Luật Hộ "
        "tịch, Điều 15), khai tử sau 15 ngày (Điều 33); chỉ tính việc sinh, chết từ 01/01/2016, "
        "không tính đăng ký lại, ghi chú việc ở nước ngoài, và người bị Tòa án tuyên bố đã chết.",
        "Of the entries in force in the data that was read. Late: births after 60 days (Law on "
        "Civil Status Art. 15), deaths after 15 (Art. 33); only events since 1 "
        "January 2016, without "
        "what was registered again, noted from abroad, or declared by a court.",
    ),
    "measure": Text("nội dung", "measure"),
    "share": Text("tỷ lệ", "share"),
    "of_records": Text("trên số bản ghi", "of records"),
    "partial": Text("chỉ phần đã đọc", "only of the part that was read"),
    "counts_as_missing": Text(
        "Có giá trị không đọc được; ở đây chúng được tính là không ghi.",
        "Some values cannot be read; here they count as missing.",
    ),
    "method": Text("Cách tính và bảo vệ thông tin", "Method and disclosure control"),
    "method_note": Text(
        "Số dưới 10 được ẩn; số khác làm tròn đến bội số của 5. Số lớn hơn cũng có thể được ẩn để "
        "không ai cộng trừ ra số nhỏ, kể cả với báo cáo lần trước. “Ẩn” không "
        "có nghĩa là không có, "
        "và “chưa kiểm tra” cũng vậy. Vì làm tròn, các số có thể không cộng đúng thành tổng.",
        "Counts below 10 are hidden; others are rounded to multiples of 5. "
        "Larger ones may be hidden "
        "too, so that nobody can work out a small one, from the last report either. “Hidden” does "
        "not mean none, nor does “not checked”. Because of rounding, figures may not add up.",
    ),
    "method_people": Text(
        "Báo cáo không có số định danh, tên hay mã băm của ai, và không có số "
        "liệu về nuôi con nuôi "
        "và di chúc.",
        "The report has nobody's number, name or hash, and no figures about adoptions and wills.",
    ),
}
