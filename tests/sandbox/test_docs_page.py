"""The commands of docs/sandbox.md work as written."""

import json
import re
import subprocess
from pathlib import Path

from jobrecon.cli.sandbox import SAMPLE
from jobrecon.clock import utc_now
from jobrecon.sandbox import World, create_app
from jobrecon.webhook.server import serve_in_thread

PAGE = Path(__file__).parents[2] / "docs" / "sandbox.md"


def test_the_commands_of_the_page_work_as_written(tmp_path: Path) -> None:
    blocks = re.findall(r"<!-- run -->\n```bash\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 4
    with serve_in_thread(create_app(World([SAMPLE], utc_now()))) as url:
        script = "set -euo pipefail\n" + "\necho\n".join(blocks).replace("http://127.0.0.1:8090", url).replace(
            "curl -s", "curl -sf --noproxy '*'"
        )
        done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert '"status":202' in done.stdout
    (task,) = json.loads((tmp_path / "tasks.json").read_text(encoding="utf-8"))
    assert task["external_job_posting_id"] == "job-1"
