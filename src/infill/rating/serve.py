"""The page on a FastAPI app. Who may come in, and how the process ends, is the caller's to say:
`infill rate` has it from the web app's own server.
"""

from typing import Any

from infill.lazy import need
from infill.rating import page
from infill.rating.booth import Booth


def mounted(app: Any, booth: Booth, rater: str | None, *, theme: Any, css: str) -> Any:
    """The page at the root of a FastAPI app.

    rater: whose answers are taken; None = the page asks. theme, css: how all our pages look.
    Nobody can upload anything, and no file is handed out: pictures stand in the page itself.

    Raises `MissingExtra` where Gradio is not installed.
    """
    gr = need("gradio", extra="web")
    blocks = page.build(booth, rater)
    # Gradio holds visitors to files of its own only once it was launched, which mounting is not.
    blocks.has_launched = True
    return gr.mount_gradio_app(
        app,
        blocks,
        path="/",
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=1,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        theme=theme,
        css=css + page.css(),
    )
