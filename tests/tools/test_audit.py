"""`just audit` says what it knows, and above all what it does not."""

import json
from pathlib import Path

import pytest

from tools import audit

PROGRAM = """
import sys
print({answers!r}.get(sys.argv[sys.argv.index("--vulnerability-service") + 1], ""))
"""
FINE = {"name": "fine", "version": "1", "vulns": []}
HOLED = {"name": "holed", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["3"]}]}
UNKNOWN = {"name": "unknown", "skip_reason": "Dependency not found"}
OTHER = {"name": "other", "skip_reason": "Dependency not found"}


@pytest.mark.parametrize(
    ("answers", "status", "said"),
    [
        ({"pypi": [FINE]}, 0, "None of 1 packages has a known hole.\n"),
        ({"pypi": [FINE, HOLED]}, 1, "holed 2 has CVE-1, mended in 3\n"),
        ({}, 2, "NOTHING was checked"),
        ({"pypi": [UNKNOWN, OTHER]}, 2, "NOTHING was checked"),
        ({"pypi": [FINE, UNKNOWN]}, 2, "Not checked, for no database knows them: unknown. The other 1 are fine.\n"),
        ({"pypi": [FINE, UNKNOWN], "osv": [FINE, FINE | {"name": "unknown"}]}, 0, "None of 2"),
        ({"pypi": [UNKNOWN], "osv": [HOLED | {"name": "unknown"}]}, 1, "unknown 2 has CVE-1"),
    ],
)
def test_only_what_was_looked_up_is_fine(
    answers: dict[str, object],
    status: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A stand-in for pip-audit, which needs a database that can be reached, answers as that does."""
    told = {database: json.dumps({"dependencies": packages}) for database, packages in answers.items()}
    (tmp_path / "pip_audit.py").write_text(PROGRAM.format(answers=told))
    monkeypatch.chdir(tmp_path)

    assert audit.main(tmp_path / "requirements.lock") == status
    assert said in capsys.readouterr().out
