"""The web console's files: plain HTML, CSS and JavaScript modules, and noVNC's modules as its authors made them.

The page holds no data and needs no right of ours: what it shows it reads from the Kubernetes API through the same
origin, with the rights of who looks at it.
"""

from pathlib import Path

from aiohttp import web

from libvf_gateway.refusal import Refusal

WEB = Path(__file__).parent / "web"
NOVNC_FOLDERS = ("core", "vendor")  # RBAC sees them as subresources of `console`, so they are listed one by one

_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
HEADERS = {
    # noVNC shows the guest's own pointer as a picture in a data: URL
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


def file(novnc: Path, path: str) -> web.StreamResponse:
    """A file of the page, or of noVNC below `novnc/`; Refusal 404 where there is none, or it is none of these."""
    parts = path.split("/") if path else ["index.html"]
    root = WEB
    if parts[0] == "novnc" and len(parts) > 2 and parts[1] in NOVNC_FOLDERS:
        root, parts = novnc, parts[1:]
    elif len(parts) > 1:
        raise Refusal(404, f"the console has no {path}")
    place = root.joinpath(*parts)
    kind = _TYPES.get(place.suffix)
    if kind is None or ".." in parts or not place.is_file():
        raise Refusal(404, f"the console has no {path}")
    return web.FileResponse(place, headers={**HEADERS, "Content-Type": f"{kind}; charset=utf-8"})
