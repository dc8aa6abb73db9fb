import subprocess

import pytest

from belfry.settings import Settings
from belfry.up.administrator import Administrator
from belfry.up.welcome import welcome

SETTINGS = Settings(database_url="-", redis_url="-", secret_key="9kTqSx2vB7mHjR4wLzYc8nFdGp5aVeUo", port=8123)
CURL = """curl() {
    printf '<%s>\\n' "$@" >&2
    case $2 in */login) echo '{"refresh_token":"r","access_token": "head.body-_.tail","token_type":"bearer"}';; esac
}
"""


def pasted(text: str, before: str = "") -> list[str]:
    """What curl would be called with if the last lines were pasted into a shell."""
    lines = text.strip().splitlines()[-3:]
    script = "\n".join([CURL, before, *lines, "wait"])
    ran = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)
    return ran.stderr.splitlines()


@pytest.mark.parametrize("password", ["plain", 'it\'s a "$secret" \\ `x`'])
def test_the_lines_to_paste_log_in_and_send(password: str) -> None:
    words = pasted(welcome(SETTINGS, Administrator("ada@example.com", password)))
    [login] = [word for word in words if '"email"' in word]
    escaped = password.replace("\\", "\\\\").replace('"', '\\"')
    assert login == f'<{{"email": "ada@example.com", "password": "{escaped}"}}>'
    assert words.count("<Authorization: Bearer head.body-_.tail>") == 2
    assert "<http://localhost:8123/v1/stream>" in words
    assert '<{"title":"Build passed"}>' in words


def test_later_the_password_comes_from_a_variable() -> None:
    text = welcome(SETTINGS, Administrator("ada@example.com", None))
    words = pasted(text, before="PASSWORD='pass word'")
    assert '<{"email":"ada@example.com","password":"pass word"}>' in words
    assert words.count("<Authorization: Bearer head.body-_.tail>") == 2
