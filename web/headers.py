"""What every answer tells the browser not to do."""

from aiohttp.web import Application, Request, StreamResponse

_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # Element Plus sets style attributes
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",  # the MQTT client keeps its timers in a blob worker
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

ALWAYS = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "display-capture=(), picture-in-picture=(), camera=(), microphone=(), "
    "geolocation=()",
}


async def add_headers(request: Request, response: StreamResponse) -> None:
    """Add the security headers; nothing is cached unless the answer itself allows it."""
    response.headers.update(ALWAYS)
    response.headers.setdefault("Cache-Control", "no-store")
    if request.secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    response.headers["Server"] = "Xunkao"


def protect(app: Application) -> None:
    """Let every answer of `app` carry the headers, streams and WebSockets too."""
    app.on_response_prepare.append(add_headers)
