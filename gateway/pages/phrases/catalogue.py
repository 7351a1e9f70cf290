"""Phrases of the catalogue, of data dictionaries, and of the status page."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.description import Text

CATALOGUE: Mapping[str, Text] = {
    "catalogue": Text("Danh mục cơ sở dữ liệu", "Catalogue of databases"),
    "catalogue_says": Text(
        "Các cơ sở dữ liệu mà cổng này biết, theo bốn nhóm của vòng đời: cơ quan chủ quản, căn cứ "
        "pháp lý, tình trạng hiện tại và từ điển dữ liệu.",
        "The databases that this gateway knows, in the four groups of their life cycle: owner, "
        "legal basis, how they stand now, and their data dictionaries.",
    ),
    "empty_group": Text(
        "Không có cơ sở dữ liệu nào thuộc nhóm này.", "No database is in this group."
    ),
    "owner": Text("Cơ quan chủ quản", "Owner"),
    "group": Text("Nhóm", "Group"),
    "contact": Text("Liên hệ khi không trả lời", "Whom to call when it does not answer"),
    "no_contact": Text("chưa khai báo", "not stated"),
    "state": Text("Tình trạng", "State"),
    "checked": Text("lần liên lạc gần nhất", "latest contact"),
    "not_checked_since": Text("chưa kiểm tra kể từ", "not checked since"),
    "never_checked": Text(
        "chưa có liên lạc nào từ khi tiến trình này chạy", "no contact since this process began"
    ),
    "until": Text("đến", "until"),
    "until_further_notice": Text("đến khi có thông báo mới", "until further notice"),
    "from": Text("từ", "from"),
    "planned": Text("Bảo trì sắp tới", "Planned maintenance"),
    "nothing_planned": Text(
        "Chưa có đợt bảo trì nào được lên lịch.", "No maintenance is planned."
    ),
    "plan_unreadable": Text(
        "Lịch bảo trì hiện không đọc được hết: có thể còn đợt bảo trì khác.",
        "The plan of maintenance cannot be read completely now: there may be more.",
    ),
    "latency": Text("Thời gian trả lời", "Latency"),
    "median": Text("trung vị", "median"),
    "p95": Text("95% trong", "95% within"),
    "calls": Text("lần gọi", "calls"),
    "since": Text("từ", "since"),
    "not_measured": Text("chưa đo được lần nào", "not measured yet"),
    "cache_share": Text("Lấy từ bộ nhớ tạm", "From the cache"),
    "lookups": Text("lượt tra", "look-ups"),
    "no_cache": Text("không dùng bộ nhớ tạm", "not cached here"),
    "figures_closed": Text(
        "Số đo chỉ hiện cho người vận hành và giám sát.",
        "Measurements are shown to operators and monitoring only.",
    ),
    "measured_here": Text(
        "Tình trạng và số đo là của tiến trình này, từ những lần hỏi đã có; trang này không hỏi cơ "
        "sở dữ liệu nào.",
        "States and measurements are those of this process, from calls that were made anyway; this "
        "page asks no database.",
    ),
    "records": Text("Loại bản ghi", "Kinds of record"),
    "no_records": Text("Chưa khai báo loại bản ghi nào.", "No kind of record is declared."),
    "dictionary": Text("Từ điển dữ liệu", "Data dictionary"),
    "dictionary_says": Text(
        "Tên và kiểu là của lược đồ GraphQL. Mức độ bảo vệ quyết định phạm vi quyền cần có; ngoài "
        "ra mỗi trường phải nằm trong một mục đích.",
        "Names and types are those of the GraphQL schema. The sensitivity decides which scope is "
        "needed; beside that, a purpose has to cover each field.",
    ),
    "print_hint": Text(
        "In trang này (Ctrl+P) để có từ điển dữ liệu trên giấy A4.",
        "Print this page (Ctrl+P) to have the dictionary on A4 paper.",
    ),
    "contract": Text(
        "Tải hợp đồng dữ liệu (ODCS, YAML)", "Download the data contract (ODCS, YAML)"
    ),
    "fields_closed": Text(
        "Trường dữ liệu chỉ hiện cho ai được xem lược đồ (phạm vi introspect). Không hiện ở đây "
        "không có nghĩa là không có.",
        "Fields are shown to those only who may see the schema (scope introspect). That none is "
        "shown here does not mean that there is none.",
    ),
    "coverage": Text("Phạm vi dữ liệu", "Coverage"),
    "whole_country": Text("cả nước", "the whole country"),
    "all_provinces": Text("đủ 34 tỉnh, thành phố", "all 34 provinces"),
    "no_provinces": Text("không có tỉnh nào", "no province"),
    "covered_since": Text("có dữ liệu từ", "covered since"),
    "includes": Text("bao gồm", "included"),
    "excludes": Text("không bao gồm", "not included"),
    "unnumbered": Text(
        "có bản ghi không ghi số định danh, tra theo số không thấy",
        "some records have no number of the person, and no look-up by number finds them",
    ),
    "numbered": Text(
        "mọi bản ghi đều ghi số định danh", "every record has the number of the person"
    ),
    "numbering_not_stated": Text(
        "chưa rõ có bản ghi không ghi số định danh hay không",
        "whether some records lack the number of the person is not stated",
    ),
    "coverage_of_database": Text("như của cơ sở dữ liệu", "as of the database"),
    "field": Text("Trường", "Field"),
    "meaning": Text("Nội dung", "Meaning"),
    "type": Text("Kiểu", "Type"),
    "sensitivity": Text("Mức độ bảo vệ", "Sensitivity"),
    "notes": Text("Ghi chú", "Notes"),
    "PUBLIC": Text("công khai", "public"),
    "BASIC": Text("cơ bản", "basic"),
    "SENSITIVE": Text("nhạy cảm", "sensitive"),
    "RESTRICTED": Text("hạn chế", "restricted"),
    "needs_scope": Text("cần phạm vi quyền", "needs the scope"),
    "within_struct": Text(
        "Trường trong một cấu trúc có mức độ bảo vệ ít nhất bằng mức của trường chứa nó.",
        "A field within a structure is at least as sensitive as the field that holds it.",
    ),
    "is_required": Text("luôn có giá trị", "always has a value"),
    "identifies": Text("phân biệt các bản ghi", "tells records apart"),
    "leads_to_person": Text("dẫn đến người", "leads to the person"),
    "dimension": Text("dùng được trong thống kê", "statistics may group by it"),
    "key_person": Text("Theo số định danh", "By the number of a person"),
    "key_organisation": Text("Theo mã tổ chức", "By the code of an organisation"),
    "key_thing": Text("Theo mã của vật, hồ sơ", "By the key of a thing"),
    "key_record": Text("Trong bản ghi", "Below the record"),
    "key": Text("Cách tra", "How it is found"),
    "not_in_schema": Text(
        "Cổng dùng bản ghi này để nối các bản ghi khác; lược đồ không có kiểu của nó.",
        "The gateway connects other records by this one; the schema has no type for it.",
    ),
    "no_key": Text("không tra trực tiếp được", "it cannot be looked up directly"),
    "single": Text("mỗi người nhiều nhất một bản ghi", "at most one record for a key"),
    "at_most": Text("mỗi danh sách nhiều nhất", "a list shows at most"),
    "purposes": Text("Mục đích được xem", "Purposes that cover it"),
    "no_purposes": Text(
        "Không mục đích nào bao gồm bản ghi này.", "No purpose covers this record."
    ),
    "covered_fields": Text("trường", "fields"),
    "closer_fields": Text("trong đó nhạy cảm, hạn chế", "sensitive and restricted among them"),
    "events": Text("Sự kiện trong dòng thời gian", "Events in the timeline"),
    "freshness": Text("Độ mới", "Freshness"),
    "always_read": Text("luôn đọc từ nguồn", "always read at the source"),
    "at_most_old": Text("từ bộ nhớ tạm nhiều nhất", "from the cache at most"),
    "if_source_fails": Text(
        "khi nguồn không trả lời nhiều nhất", "while the source fails at most"
    ),
    "seconds": Text("giây", "seconds"),
    "retention": Text("Thời hạn lưu trữ tại nguồn", "Retention at the source"),
    "not_declared": Text("chưa khai báo", "not declared"),
    "structs": Text("Cấu trúc dùng chung", "Structures"),
    "enumerations": Text("Danh mục giá trị", "Enumerations"),
    "value": Text("Giá trị", "Value"),
    "vietnamese": Text("Tiếng Việt", "Vietnamese"),
    "english": Text("Tiếng Anh", "English"),
    "all_databases": Text("Tất cả cơ sở dữ liệu", "All databases"),
    "printed_from": Text("In từ cổng tra cứu dữ liệu tư pháp lúc", "Printed from the gateway at"),
    "status": Text("Tình trạng dịch vụ", "Service status"),
    "status_says": Text(
        "Cơ sở dữ liệu nào đang trả lời, và khi nào bảo trì. Ai cũng xem được trang này.",
        "Which databases answer now, and when maintenance is planned. Everybody may see this page.",
    ),
    "statement_as_of": Text("Tính đến", "As of"),
    "all_well": Text(
        "Mọi cơ sở dữ liệu đang vận hành đều trả lời lần liên lạc gần nhất.",
        "Every operating database answered when it was last contacted.",
    ),
    "not_all_well": Text(
        "Có cơ sở dữ liệu hiện không trả lời đầy đủ, hoặc chưa kiểm tra gần đây.",
        "Some databases do not answer at present, or were not checked recently.",
    ),
    "nothing_operates": Text(
        "Chưa có cơ sở dữ liệu nào vận hành ở đây.", "No database operates here yet."
    ),
    "operating_now": Text("Đang vận hành", "Operating"),
    "not_operating_here": Text("Chưa vận hành, chưa kết nối", "Not operating or not connected"),
    "reload_hint": Text(
        "Tải lại trang để có tình trạng mới.", "Load the page again for the present state."
    ),
    "cond_ANSWERING": Text(
        "Trả lời mọi lần liên lạc gần đây.", "It answered whenever it was contacted of late."
    ),
    "cond_UNSTEADY": Text(
        "Một số lần hỏi gần đây không được trả lời. Phần không được trả lời ghi rõ là chưa biết.",
        "Some recent calls were not answered. What was not answered is shown as not known.",
    ),
    "cond_ON_TRIAL": Text(
        "Vừa trả lời lại, đang được hỏi thử.", "It has just come back, and is asked on trial."
    ),
    "cond_SUSPENDED": Text(
        "Liên tục không trả lời nên tạm ngừng hỏi. Kết quả tra cứu ghi rõ là chưa biết.",
        "It kept failing and is not asked for now. What it holds is shown as not known.",
    ),
    "cond_FAILING": Text(
        "Không trả lời lần hỏi gần nhất. Kết quả tra cứu ghi rõ là chưa biết.",
        "It did not answer the latest calls. What it holds is shown as not known.",
    ),
    "cond_MAINTENANCE": Text(
        "Không được hỏi trong lúc bảo trì. Kết quả tra cứu ghi rõ là đang bảo trì.",
        "It is not asked during maintenance. What it holds is shown as under maintenance.",
    ),
    "cond_NOT_CHECKED": Text(
        "Gần đây chưa có lần hỏi nào, nên không nói được là đang trả lời hay không.",
        "It was not asked recently, so whether it answers cannot be told.",
    ),
    "cond_NOT_OPERATING": Text(
        "Chưa tra cứu được ở đây.", "It cannot be consulted here."
    ),
    "followed": Text("Thay đổi đang được theo dõi", "Its changes are followed"),
    "follow_complete": Text("Sự kiện đầy đủ đến", "Events are complete until"),
    "follow_interrupted": Text(
        "Việc theo dõi thay đổi gián đoạn từ", "Its changes have not been followed since"
    ),
    "follow_not_begun": Text(
        "Chưa bắt đầu theo dõi thay đổi.", "Its changes are not followed yet."
    ),
    "follow_unknown": Text(
        "Hiện không xác định được thay đổi có đang được theo dõi hay không.",
        "Whether its changes are followed cannot be told at present.",
    ),
}  # fmt: skip
