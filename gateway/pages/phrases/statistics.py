"""Phrases of the page of statistics."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.description import Text

STATISTICS: Mapping[str, Text] = {
    "statistics": Text("Thống kê", "Statistics"),
    "statistics_say": Text(
        "Đếm bản ghi theo tối đa ba chiều. Không số nào ở đây cho biết về một người: ô nhỏ được "
        "ẩn, ô khác được làm tròn.",
        "Counts of records by up to three dimensions. No figure here tells of a person: small "
        "cells are suppressed, others are rounded.",
    ),
    "what": Text("Đếm gì", "What to count"),
    "record": Text("Cơ sở dữ liệu và loại bản ghi", "Database and kind of record"),
    "withheld_by_law": Text("không được cung cấp theo luật", "withheld by law"),
    "withheld_says": Text("Pháp luật không cho cung cấp loại bản ghi này: không có số liệu nào.",
                          "The law withholds this kind of record: there are no figures of it."),
    "choose_record": Text("Chọn", "Choose"),
    "by_what": Text("Đếm theo", "Count by"),
    "by_hint": Text("Chọn tối đa ba chiều; không chọn chiều nào thì chỉ có tổng số.",
                    "Choose up to three dimensions; without any, there is the total alone."),
    "no_dimensions": Text("Loại bản ghi này không có chiều nào: chỉ đếm được tổng số.",
                          "This kind of record has no dimensions: it has a total alone."),
    "years": Text("Các năm được hiện", "Years to show"),
    "from_year": Text("từ năm", "from year"),
    "to_year": Text("đến năm", "to year"),
    "years_hint": Text("Không bắt buộc. Chỉ dùng khi đếm theo năm.",
                       "Optional. Only where records are counted by year."),
    "show": Text("Hiện số liệu", "Show the figures"),
    "result": Text("Số liệu", "Figures"),
    "total": Text("Tổng số bản ghi", "Records in total"),
    "suppressed": Text("ẩn", "suppressed"),
    "suppressed_long": Text(
        "Ẩn: dưới 10 (kể cả 0), hoặc có thể làm lộ một ô dưới 10. Kích thước không nói lên số nào.",
        "Suppressed: below 10 (0 among them), or it could tell a cell that is. Its size says "
        "nothing.",
    ),
    "suppressed_csv": Text(
        "ô dưới 10 (kể cả 0), hoặc có thể làm lộ một ô dưới 10; không phải là 0",
        "a cell below 10 (0 among them), or it could tell a cell that is; it is not 0",
    ),
    "no_years": Text(
        "Không năm nào trong khoảng này đứng riêng: các năm đầu được gộp làm một, năm sau chưa "
        "chốt. Đây không phải là số 0.",
        "No year of this range stands by itself: early years are together, later ones are not "
        "counted yet. This is not 0.",
    ),
    "no_figures": Text(
        "Không có số liệu: không rõ có bao nhiêu bản ghi. Đây không phải là số 0.",
        "There are no figures: how many records there are is not known. This is not 0.",
    ),
    "chart": Text("Biểu đồ", "Chart"),
    "table": Text("Bảng số liệu", "Table"),
    "chart_of": Text("Biểu đồ cột", "Bar chart"),
    "counted_by": Text("theo", "by"),
    "records": Text("số bản ghi", "records"),
    "largest": Text("Lớn nhất", "Largest"),
    "cells_suppressed": Text("số ô bị ẩn", "cells suppressed"),
    "table_has_all": Text("Bảng có mọi số của biểu đồ.", "The table has all figures of the chart."),
    "all_suppressed": Text("Ẩn toàn bộ", "All suppressed"),
    "unknown_sign": Text("? : không rõ năm", "?: the year is not recorded"),
    "every_cell": Text("Mọi ô của bảng này đều bị ẩn.", "Every cell of this table is suppressed."),
    "not_drawn": Text("Gộp nhiều năm nên không vẽ, xem bảng",
                      "Several years together, so not drawn: see the table"),
    "counted_before": Text("Bản ghi có ngày trước", "Records dated before"),
    "snapshot_says": Text(
        "chốt một lần cho cả tháng: hỏi lại trong tháng vẫn thấy như vậy",
        "counted once for the whole month: asked again within it, the figures are the same",
    ),
    "method": Text("Phương pháp", "Method"),
    "database_state": Text("Tình trạng nguồn", "State of the source"),
    "owner": Text("Cơ quan chủ quản", "Owner"),
    "download": Text("Tải bảng về (CSV)", "Download the table (CSV)"),
    "download_says": Text(
        "Có phương pháp, ngày chốt, nguồn và căn cứ pháp lý ở đầu tệp.",
        "With the method, the date, the source and the law at its head.",
    ),
    "refused": Text("Chưa có số liệu", "No figures"),
    "lacking": Text("Chưa được cấp quyền xem thống kê", "Statistics are not permitted"),
    "lacking_says": Text(
        "Cần quyền statistics. Đơn vị vận hành cổng tra cứu cấp quyền này.",
        "The scope statistics is needed. The operator of this gateway grants it.",
    ),
    "no_such_record": Text("Không có loại bản ghi này; hãy chọn trong danh sách.",
                           "There is no such kind of record: choose one of the list."),
    "no_such_dimension": Text("Loại bản ghi này không có chiều", "The record has no dimension"),
    "too_many": Text("Chọn tối đa ba chiều.", "Choose three dimensions at most."),
    "coarser": Text(
        "Tỉnh trước và sau sáp nhập không đứng cùng nhau; hãy chọn một.",
        "Provinces before and after the mergers do not stand together: choose one of them.",
    ),
    "needs_year": Text("Muốn giới hạn năm thì phải đếm theo năm.",
                       "Years can be limited only where records are counted by year."),
    "reversed_years": Text("Năm đầu không được sau năm cuối.",
                           "The first year must not be later than the last."),
    "bad_year": Text("Năm phải là một số, ví dụ 2025.", "A year is a number, such as 2025."),
}  # fmt: skip
