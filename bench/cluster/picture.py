"""A picture of Prefect's pages after the cluster's life."""

from pathlib import Path

from playwright.sync_api import sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
MAX_BYTES = 200_000


def take_picture(address: str, file: Path) -> str:
    """Save the list of flow runs as a PNG; returns what came of it, in words."""
    if not CHROMIUM.exists():
        return "no picture: Chromium is not installed"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1100, "height": 2000})
        # Nothing but the server.
        page.route("**/*", lambda route: route.continue_() if route.request.url.startswith(address) else route.abort())
        page.goto(f"{address}/runs", wait_until="networkidle")
        page.wait_for_timeout(8000)
        # Without the filters above: the chart and the list.
        content = page.screenshot(clip={"x": 260, "y": 270, "width": 840, "height": 1530})
        browser.close()
    if len(content) > MAX_BYTES:
        return f"no picture: it has {len(content):,} bytes"
    file.write_bytes(content)
    return f"picture: {file.name}, {len(content):,} bytes"
