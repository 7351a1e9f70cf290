"""The registry of every error that a client can see, by its stable code.

There are two families (design section 6.4). *Client-safe* errors are raised as GatewayError with a
code from ``CODES``. Everything else is internal: it is logged with an id, and the client sees
INTERNAL with that id only. A client-safe message never contains a person's number, nor the name of
a table, a host or a driver. Each code has a page in ``docs/errors/``; a test compares the two. A
``Problem`` is an error beside the data, with its place in the answer and in the document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

#: The status of an answer with data and errors (GraphQL over HTTP, "Partial success").
BESIDE_DATA: Final = 294


@dataclass(frozen=True, slots=True)
class Code:
    """One error code.

    ``status``: the HTTP status if the error is the whole answer; ``BESIDE_DATA`` for an error that
    occurs beside data only. ``vi`` and ``en``: the sentences shown if the raiser gives none.
    """

    name: str
    status: int
    vi: str
    en: str


_ALL = (
    # The request as HTTP
    Code("BAD_JSON", 400, "Nội dung yêu cầu không phải JSON.", "The body is not JSON."),
    Code("BAD_REQUEST", 400, "Yêu cầu sai cấu trúc.", "The request is not of the required form."),
    Code("NOT_FOUND", 404, "Không có địa chỉ này.", "There is nothing at this address."),
    Code("METHOD_NOT_ALLOWED", 405, "Phương thức không dùng được ở đây.",
         "This method cannot be used here."),
    Code("NOT_ACCEPTABLE", 406, "Không trả lời được bằng định dạng yêu cầu.",
         "None of the accepted media types can be produced."),
    Code("BODY_TOO_LARGE", 413, "Nội dung yêu cầu quá lớn.", "The body is too large."),
    Code("URL_TOO_LONG", 414, "Địa chỉ URL quá dài.", "The URL is too long."),
    Code("HEADERS_TOO_LARGE", 431, "Phần đầu của yêu cầu quá lớn.",
         "The headers of the request are too large, or too many."),
    Code("REQUEST_TIMED_OUT", 408, "Yêu cầu không được gửi hết kịp thời.",
         "The request was not sent in time."),
    Code("UNSUPPORTED_MEDIA_TYPE", 415, "Nội dung phải là application/json.",
         "The body must be application/json."),
    # The document
    Code("SYNTAX_ERROR", 400, "Câu truy vấn sai cú pháp.", "The document is not valid GraphQL."),
    Code("VALIDATION_FAILED", 422, "Câu truy vấn không hợp lệ với lược đồ.",
         "The document does not fit the schema."),
    Code("OPERATION_NOT_FOUND", 422, "Không xác định được thao tác cần chạy.",
         "The document has no such operation."),
    Code("OPERATION_UNKNOWN", 404, "Không có thao tác công bố nào như vậy cho ứng dụng này.",
         "No such operation is published for this client."),
    Code("UNSUPPORTED_OPERATION", 422, "Loại thao tác này chưa được hỗ trợ.",
         "This kind of operation is not supported."),
    Code("TOO_MANY_TOKENS", 422, "Câu truy vấn quá dài.", "The document is too long."),
    Code("TOO_DEEP", 422, "Câu truy vấn lồng quá sâu.", "The document nests too deep."),
    Code("TOO_MANY_ALIASES", 422, "Quá nhiều bí danh.", "The document has too many aliases."),
    Code("TOO_MANY_DIRECTIVES", 422, "Quá nhiều chỉ thị.", "The document has too many directives."),
    Code("TOO_MANY_DEFINITIONS", 422, "Quá nhiều thao tác, đoạn hoặc biến.",
         "The document has too many operations, fragments or variables."),
    Code("TOO_MANY_FIELDS", 422, "Quá nhiều trường.", "The document selects too many fields."),
    Code("TOO_COSTLY", 422, "Câu truy vấn có thể phải đọc quá nhiều dữ liệu.",
         "The operation may have to read too much."),
    Code("TOO_MANY_DOCUMENTS", 429, "Quá nhiều câu truy vấn mới trong thời gian ngắn.",
         "Too many new documents in a short time."),
    Code("INVALID_VARIABLES", 422, "Biến không hợp lệ.", "The variables do not fit the operation."),
    Code("INVALID_PERSON_NUMBER", 422,
         "Số định danh phải có 12 chữ số, hoặc 9 chữ số của CMND cũ.",
         "A person number must have 12 digits, or 9 digits of an old identity card."),
    Code("INVALID_VALUE", 422, "Giá trị không hợp lệ.", "A value is not of the required form."),
    Code("INVALID_REPRESENTATION", BESIDE_DATA,
         "Đối tượng được dẫn chiếu từ phân hệ khác không đúng dạng.",
         "A representation of an entity is not of the required form."),
    Code("PROCEDURE_UNKNOWN", BESIDE_DATA, "Không có thủ tục nào như vậy để kiểm tra.",
         "There is no such procedure to check."),
    Code("SAME_PERSON", BESIDE_DATA, "Một người không thể đứng ở hai vai trò.",
         "The same person stands in two roles."),
    Code("RECEIPT_REFUSED", BESIDE_DATA, "Không thể kiểm tra lại theo biên nhận này.",
         "The check of this receipt cannot be made again."),
    Code("TICKET_UNKNOWN", BESIDE_DATA,
         "Không có phiếu hẹn nào như vậy cho người hỏi, thủ tục và hồ sơ này.",
         "There is no such ticket for this caller, procedure and case."),
    Code("TOO_MANY_TICKETS", BESIDE_DATA, "Đang giữ quá nhiều phiếu hẹn.",
         "Too many tickets are kept already."),
    Code("TICKETS_UNAVAILABLE", BESIDE_DATA, "Nơi giữ phiếu hẹn không trả lời.",
         "Where tickets are kept does not answer."),
    Code("CURSOR_EXPIRED", BESIDE_DATA,
         "Nhật ký sự kiện không còn giữ những gì tiếp sau vị trí này; hãy bắt đầu lại và tra cứu "
         "lại những người theo dõi.",
         "The log no longer has all that comes after this cursor: begin again without it, and read "
         "anew about the people concerned."),
    Code("WEBHOOK_URL_REFUSED", BESIDE_DATA, "Không được phép gửi sự kiện tới địa chỉ này.",
         "Events may not be sent to this URL."),
    Code("WEBHOOK_UNVERIFIED", BESIDE_DATA,
         "Điểm nhận không gửi lại mã thử nên chưa được đăng ký.",
         "The endpoint did not give the challenge back: it is not registered."),
    Code("WEBHOOK_UNKNOWN", BESIDE_DATA,
         "Cơ quan này không có webhook nào như vậy qua ứng dụng này cho thủ tục này.",
         "There is no such webhook of this client and agency under this purpose."),
    Code("WEBHOOK_STOPPED", BESIDE_DATA,
         "Webhook này đã dừng; hãy đăng ký lại.",
         "The webhook has stopped: register the endpoint again."),
    Code("TOO_MANY_WEBHOOKS", BESIDE_DATA, "Đã đăng ký quá nhiều webhook.",
         "Too many webhooks are registered already."),
    Code("WEBHOOKS_UNAVAILABLE", BESIDE_DATA,
         "Cổng không dùng webhook, hoặc nơi giữ webhook không trả lời.",
         "The gateway has no webhooks, or where they are kept does not answer."),
    Code("WEBHOOKS_UNREADABLE", BESIDE_DATA,
         "Có webhook không còn đọc được, không rõ của cơ quan nào; hãy đăng ký lại.",
         "Some webhooks can no longer be read, and whose they are is not known: register yours "
         "again."),
    Code("CURSOR_OUTDATED", BESIDE_DATA,
         "Danh sách đã thay đổi; hãy đọc lại từ đầu.",
         "The cursor does not fit the list as it is now."),
    Code("PERSON_IN_URL", 400,
         "Không đưa số định danh vào địa chỉ URL; hãy dùng POST.",
         "A person must not be named in a URL: use POST."),
    # Who asks
    Code("UNAUTHENTICATED", 401, "Cần có mã truy cập.", "A bearer token is required."),
    Code("TOKEN_INVALID", 401, "Mã truy cập không hợp lệ.", "The token cannot be accepted."),
    Code("TOKEN_EXPIRED", 401, "Mã truy cập đã hết hạn.", "The token has expired."),
    Code("ISSUER_UNAVAILABLE", 503, "Chưa kiểm tra được mã truy cập vì nơi cấp không trả lời.",
         "The token could not be checked: its issuer does not answer."),
    Code("FORBIDDEN", 403, "Không đủ quyền.", "The token does not permit this."),
    Code("FORM_EXPIRED", 403,
         "Biểu mẫu đã hết hạn, hoặc không do trang này gửi; hãy gửi lại.",
         "The form has expired, or another page sent it: send it again."),
    Code("FORM_OF_ANOTHER", 403,
         "Biểu mẫu này được tạo cho người khác với người đang đăng nhập; chưa gửi gì cả.",
         "This form was made for somebody else than who is signed in now: nothing was sent."),
    Code("SESSION_EXPIRED", 401, "Phiên đăng nhập đã kết thúc; hãy đăng nhập lại.",
         "The session has ended: sign in again."),
    Code("CSRF_TOKEN_REQUIRED", 403,
         "Yêu cầu gửi kèm phiên đăng nhập phải có mã chống giả mạo của trang (X-CSRF-Token).",
         "A request with the cookie of a session must carry the token of its page (X-CSRF-Token)."),
    Code("ORIGIN_NOT_ALLOWED", 403, "Trang này không được mở kết nối tới cổng.",
         "Pages of this origin may not open a connection to the gateway."),
    Code("SIGN_IN_MISMATCH", 400,
         "Câu trả lời của nơi xác thực không khớp với lần đăng nhập này; hãy đăng nhập lại.",
         "The answer of the issuer does not belong to this sign-in: sign in again."),
    Code("SIGN_IN_REFUSED", 403, "Nơi xác thực không cho đăng nhập.",
         "The issuer did not let you sign in."),
    Code("SIGN_IN_INVALID", 403,
         "Cổng không chấp nhận được mã mà nơi xác thực cấp; hãy báo người vận hành.",
         "The gateway cannot accept what the issuer sent: tell the operator."),
    Code("SIGN_IN_UNAVAILABLE", 503,
         "Nơi xác thực, hoặc nơi giữ phiên đăng nhập, không trả lời; hãy thử lại sau.",
         "The issuer, or the store of sessions, does not answer: try again later."),
    Code("PUBLISHED_ONLY", 403, "Ứng dụng này chỉ được gọi các thao tác đã công bố.",
         "This client calls published operations only."),
    Code("REPRESENTATION_DENIED", 403,
         "Không có giấy tờ hộ tịch hoặc ủy quyền cho phép hành động thay người này.",
         "No record says that you may act for this person."),
    Code("REPRESENTATION_UNCHECKED", 503, "Chưa kiểm tra được quyền hành động thay người này.",
         "It could not be checked whether you may act for this person."),
    Code("INTROSPECTION_DENIED", 403, "Không được phép xem lược đồ bằng truy vấn.",
         "This caller may not introspect the schema."),
    Code("PURPOSE_REQUIRED", 400,
         "Cần nêu mã thủ tục (X-Purpose) khi tra cứu về một người.",
         "A call on a person must say for which procedure: send X-Purpose."),
    Code("PURPOSE_UNKNOWN", 400, "Không có thủ tục với mã này.",
         "There is no procedure with this code."),
    Code("CASE_NUMBER_REQUIRED", 400,
         "Cần nêu số hồ sơ (X-Case-Number) khi tra cứu về một người.",
         "A call on a person must say for which case: send X-Case-Number."),
    Code("PURPOSE_NOT_GRANTED", 403, "Mã truy cập không cho phép mục đích này.",
         "The token does not grant this purpose."),
    # The person
    Code("TOO_MANY_PERSONS", 422, "Một lần hỏi quá nhiều người.",
         "Too many persons are asked for at once."),
    Code("MATCHING_REQUIRED", BESIDE_DATA,
         "Cần nêu đủ ngày, tháng, năm sinh (và họ tên nếu được yêu cầu) kèm theo số định danh.",
         "A match needs more than the number tells: the full date of birth, and the name where it "
         "is asked for."),
    Code("PERSON_NOT_MATCHED", BESIDE_DATA, "Thông tin đối chiếu không khớp.",
         "No person matches the number and the details given."),
    Code("NUMBER_CONFLICT", BESIDE_DATA, "Số này thuộc về nhiều hơn một người.",
         "This number belongs to more than one person."),
    Code("NUMBER_UNRESOLVED", BESIDE_DATA, "Chưa xác định được số định danh hiện tại.",
         "It could not be found out to whom this number belongs now."),
    Code("PERSON_NOT_IDENTIFIED", BESIDE_DATA,
         "Chưa xác định được người mang số này: danh sách không có bản ghi không có nghĩa là không "
         "có.",
         "Nobody is known by this number: a list without records does not mean that there are "
         "none."),
    Code("NUMBERS_INCOMPLETE", BESIDE_DATA,
         "Chưa xác định đủ các số của người này: có thể còn bản ghi theo số khác.",
         "Not all numbers of this person could be found out: there may be records under others."),
    Code("NUMBER_SHARED", BESIDE_DATA,
         "Một số trước đây của người này cũng thuộc về người khác: không tra theo số đó.",
         "An earlier number of this person is somebody else's too: nothing was looked up under "
         "it."),
    Code("KEY_NOT_RECORDED", BESIDE_DATA,
         "Bản ghi không ghi khóa dẫn tới danh sách này: chưa biết có hay không.",
         "The record lacks the key that leads to this list: it is not known what is in it."),
    Code("VERIFICATION_LIMITED", BESIDE_DATA,
         "Đã xác minh sai quá nhiều lần trong ngày.",
         "There were too many attempts without a match today."),
    # Events and interests
    Code("INTEREST_NOT_PERMITTED", BESIDE_DATA,
         "Mục đích này không cho phép theo dõi loại sự kiện hoặc thời hạn đã nêu.",
         "The purpose does not permit an interest of these kinds, or for so long."),
    Code("INTERESTS_UNREADABLE", BESIDE_DATA,
         "Có đăng ký theo dõi không còn đọc được, không rõ của cơ quan nào; hãy đăng ký lại.",
         "Some interests can no longer be read, and whose they are is not known: register yours "
         "again."),
    Code("TOO_MANY_INTERESTS", BESIDE_DATA, "Ứng dụng này đang theo dõi quá nhiều người.",
         "The client has too many interests already."),
    Code("EVENTS_UNAVAILABLE", BESIDE_DATA,
         "Nơi giữ sự kiện hoặc danh sách theo dõi không trả lời, hoặc chưa được cài đặt.",
         "The log of events, or the store of interests, does not answer, or is not set up."),
    # The sources
    Code("SOURCE_UNAVAILABLE", BESIDE_DATA, "Cơ sở dữ liệu không trả lời.",
         "The database did not answer."),
    Code("SOURCE_TIMED_OUT", BESIDE_DATA, "Cơ sở dữ liệu không trả lời kịp thời.",
         "The database did not answer in time."),
    Code("SOURCE_MAINTENANCE", BESIDE_DATA, "Cơ sở dữ liệu đang bảo trì.",
         "The database is under maintenance."),
    Code("BAD_RECORD", BESIDE_DATA, "Một số bản ghi không đọc được.",
         "Some records could not be read."),
    # The gateway itself
    Code("RATE_LIMITED", 429, "Đã dùng hết hạn mức yêu cầu; hãy thử lại sau.",
         "The client has used up its allowance."),
    Code("TOO_MANY_SUBSCRIPTIONS", 429, "Đang mở quá nhiều đăng ký nhận sự kiện.",
         "Too many subscriptions are open already."),
    Code("GATEWAY_BUSY", 503, "Cổng đang quá tải; hãy thử lại sau.",
         "The gateway has too much to do just now."),
    Code("ACCESS_LOG_UNAVAILABLE", BESIDE_DATA, "Chưa đọc được nhật ký truy cập.",
         "The access log could not be read."),
    Code("INVALIDATION_FAILED", 503, "Chưa hủy được dữ liệu lưu tạm; hãy thử lại.",
         "Nothing was invalidated."),
    Code("AUDIT_UNAVAILABLE", 503, "Không ghi được nhật ký truy cập nên không thể trả lời.",
         "The access log cannot be written, so there is no answer."),
    Code("INTERNAL", 500, "Lỗi nội bộ.", "Something went wrong inside the gateway."),
)  # fmt: skip

#: Code name -> code.
CODES: Mapping[str, Code] = {code.name: code for code in _ALL}


class GatewayError(Exception):
    """A client-safe error.

    ``code``: a name in ``CODES``. ``message``: English, in place of the code's sentence.
    ``details``: shown in the error's ``extensions``. ``headers`` and ``status``: of the HTTP
    response if the error is the whole answer; ``status`` replaces the code's.
    """

    def __init__(
        self,
        code: str,
        message: str | None = None,
        *,
        details: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        status: int | None = None,
    ) -> None:
        self.code = CODES[code]
        self.status = self.code.status if status is None else status
        self.message = message or self.code.en
        self.details = dict(details or {})
        self.headers = dict(headers or {})
        super().__init__(self.message)

    @property
    def extensions(self) -> dict[str, object]:
        """The ``extensions`` of the GraphQL error: code, Vietnamese message and details."""
        return {"code": self.code.name, "messageVi": self.code.vi, **self.details}


def malformed(message: str) -> GatewayError:
    """Return BAD_REQUEST with status 422, for parameters that are not a GraphQL request.

    A malformed header keeps status 400: the draft of GraphQL over HTTP defines 422 for parameters.
    """
    return GatewayError("BAD_REQUEST", message, status=422)


def unauthenticated(code: str) -> GatewayError:
    """Return an error with the challenge of RFC 6750 section 3, which asks for a valid token."""
    challenge = "Bearer" if code == "UNAUTHENTICATED" else 'Bearer error="invalid_token"'
    return GatewayError(code, headers={"WWW-Authenticate": challenge})


#: A place in the answer: response keys and list indexes, from the root.
Path = tuple[str | int, ...]
#: A place in the document: line and column, from 1.
Location = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Problem:
    """An error beside the data. ``count``: the number of rows with it; ``path`` is the first's."""

    error: GatewayError
    path: Path
    locations: Sequence[Location]
    count: int = 1
