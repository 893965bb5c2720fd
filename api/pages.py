"""What all pages have in common: headers, errors as pages, the check that a form is ours."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, current_app, redirect, render_template, request, url_for

from c8s.web.errors import HttpProblem, NotAllowed, answer_json

# Everything comes from this host; no inline script or style, no frame, no plugin, no other form target.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: browsers would then send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
JSON_PATHS = ("/api/", "/healthz", "/readyz", "/metrics")


def install_page_headers(app: Flask) -> None:
    """Send the security headers with every answer; pages are never kept by caches."""

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.update(SECURITY_HEADERS)
        if request.endpoint != "static":
            response.headers.setdefault("Cache-Control", "no-store")
        return response


def answer_page_or_json(problem: HttpProblem) -> Response:
    """An error as JSON for programs, as a page for people; who isn't logged in is sent to the login."""
    if request.path.startswith(JSON_PATHS):
        return answer_json(problem)
    if problem.status == 401 and request.method == "GET":
        page = redirect(url_for("dashboard.login", next=request.full_path.rstrip("?")), 303)
        return current_app.make_response(page)
    return current_app.make_response((render_template("error.html", problem=problem), problem.status))


def check_form_is_ours(*, is_https: bool) -> None:
    """Refuse a form another site sent, and under https one of a page without it. Raises `NotAllowed`."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site not in (None, "same-origin", "none"):
        raise _foreign_form()
    if origin is None:
        return
    source = urlsplit(origin)
    # The scheme of the request is that of the proxy before us, the setting knows the browser's.
    if source.netloc != request.host or (is_https and source.scheme != "https"):
        raise _foreign_form()


def local_path(target: str) -> str:
    """`target` if it is a path on this host, otherwise the first page: a login must not lead elsewhere."""
    # Browsers read "//host" and "/\host" as another host, and drop tabs and line breaks before they look.
    is_local = target.startswith("/") and not target.startswith("//") and target.isprintable()
    return target if is_local and "\\" not in target else "/"


def _foreign_form() -> NotAllowed:
    return NotAllowed(
        "this form was sent by another site", reason="ForeignForm", hint="open the page here and try again"
    )
