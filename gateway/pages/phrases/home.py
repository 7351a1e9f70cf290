"""Phrases of the home page."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.description import Text

HOME: Mapping[str, Text] = {
    "home_says": Text(
        "Một câu hỏi theo số định danh, một câu trả lời từ mọi cơ sở dữ liệu tư pháp. Mỗi phần của "
        "câu trả lời ghi rõ nguồn; điều chưa biết không bao giờ hiện thành không có.",
        "One question by citizen ID, one answer from all justice databases. Each part of an answer "
        "says where it comes from; what is not known never looks like nothing.",
    ),
    "for_CITIZEN": Text("Người dân", "Citizens"),
    "for_OFFICER": Text("Cán bộ", "Officers"),
    "for_ANALYST": Text("Người phân tích", "Analysts"),
    "for_OWNER": Text("Cơ quan chủ quản dữ liệu", "Owners of databases"),
    "for_DEVELOPER": Text("Người phát triển phần mềm", "Developers"),
    "for_OPERATOR": Text("Người vận hành", "Operators"),
    "home_status": Text("Tình trạng dịch vụ", "Service status"),
    "home_status_says": Text(
        "Cơ sở dữ liệu nào đang trả lời, khi nào bảo trì.",
        "Which databases answer now, and when maintenance is planned.",
    ),
    "home_catalogue": Text("Danh mục cơ sở dữ liệu", "Catalogue of databases"),
    "home_catalogue_says": Text(
        "Có những dữ liệu nào, của cơ quan nào, theo luật nào.",
        "Which data there are, whose they are, and by which law.",
    ),
    "home_dictionary": Text("Từ điển và hợp đồng dữ liệu", "Dictionaries and data contracts"),
    "home_dictionary_says": Text(
        "Từng trường của mỗi cơ sở dữ liệu, để in hoặc tải về.",
        "Every field of each database, to print or to download.",
    ),
    "home_procedures": Text("Kiểm tra hồ sơ", "Check a case"),
    "home_procedures_says": Text(
        "Kiểm tra điều kiện của một thủ tục bằng dữ liệu của các cơ sở dữ liệu.",
        "Check the conditions of a procedure by what the databases hold.",
    ),
    "home_conditions": Text("Thủ tục hành chính", "Administrative procedures"),
    "home_conditions_says": Text(
        "Điều kiện, giấy tờ phải mang, và những dữ liệu mà cán bộ được xem.",
        "Conditions, papers to bring, and the data that officers may see.",
    ),
    "home_person": Text("Tra cứu một người", "Look up a person"),
    "home_person_says": Text(
        "Dữ liệu về một người theo thủ tục và số hồ sơ.",
        "The data about a person, for a procedure and a case number.",
    ),
    "home_me": Text("Dữ liệu của tôi", "My data"),
    "home_me_says": Text(
        "Cơ quan nhà nước ghi gì về bạn, và ai đã xem.",
        "What registers say about you, and who has looked.",
    ),
    "home_statistics": Text("Thống kê", "Statistics"),
    "home_statistics_says": Text(
        "Số lượng theo năm, tỉnh và các tiêu chí khác, không nêu tên ai.",
        "Counts by year, province and more, in which nobody is named.",
    ),
    "home_explorer": Text("Khám phá bằng GraphiQL", "Explore in GraphiQL"),
    "home_explorer_says": Text(
        "Viết câu truy vấn, xem kết quả và cách thực hiện.",
        "Write queries, see results and how they are executed.",
    ),
    "home_operations": Text("Thao tác đã công bố", "Published operations"),
    "home_operations_says": Text(
        "Những câu truy vấn đã duyệt cho đối tác.", "Queries that were reviewed for partners."
    ),
    "home_openapi": Text("OpenAPI", "OpenAPI"),
    "home_openapi_says": Text(
        "Các thao tác đã công bố, dưới dạng OpenAPI.", "The published operations as OpenAPI."
    ),
    "home_schema": Text("Lược đồ GraphQL", "GraphQL schema"),
    "home_schema_says": Text(
        "Toàn bộ kiểu và trường, dạng văn bản.", "All types and fields, as text."
    ),
    "home_keys": Text("Khóa công khai của biên nhận", "Public keys of receipts"),
    "home_keys_says": Text(
        "Để kiểm tra biên nhận có chữ ký số.", "To verify signed receipts."
    ),
    "home_ready": Text("Sẵn sàng hay không", "Readiness"),
    "home_ready_says": Text(
        "Cổng có trả lời được yêu cầu hay không.", "Whether the gateway can answer requests."
    ),
    "home_metrics": Text("Số đo", "Metrics"),
    "home_metrics_says": Text("Dạng văn bản của Prometheus.", "In the text format of Prometheus."),
}  # fmt: skip
