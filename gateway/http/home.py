"""``/``: a page of links for browsers; programs are told where the endpoint is."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from gateway.http.graphiql import wants_page

_LINKS = (
    ("/graphql", "Khám phá bằng GraphiQL", "Explore in GraphiQL"),
    ("/schema.graphql", "Lược đồ", "The schema"),
    ("/openapi.json", "Các thao tác công bố (OpenAPI)", "Published operations (OpenAPI)"),
    ("/health/ready", "Sẵn sàng hay không", "Whether it is ready"),
)
_STYLE = (
    "font: 16px/1.6 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem"
)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"


async def home_page(request: Request) -> Response:
    """Answer with links to what there is. Names nothing of the site's settings or people."""
    if not wants_page(request):
        return PlainTextResponse("justice-gateway: POST /graphql\n")
    items = "".join(f'<li><a href="{address}">{vi}</a> / {en}</li>' for address, vi, en in _LINKS)
    page = (
        '<!doctype html><html lang="vi"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f'<title>justice-gateway</title><body style="{_STYLE}"><h1>justice-gateway</h1>'
        "<p>Một câu hỏi theo số định danh, một câu trả lời từ mọi cơ sở dữ liệu tư pháp. / "
        f"One query by citizen ID over all justice databases.</p><ul>{items}</ul>"
    )
    return HTMLResponse(page, headers={"content-security-policy": _POLICY, "vary": "Accept"})
