"""What stands on the screen when all is up."""

import json
import shlex

from belfry.settings import Settings
from belfry.up.administrator import Administrator


def welcome(settings: Settings, admin: Administrator) -> str:
    """The address, who can log in, and three lines to paste into a shell, one after the other or at once."""
    here = f"http://localhost:{settings.port}"
    as_json = "-H 'Content-Type: application/json'"
    bearer = '-H "Authorization: Bearer $TOKEN"'
    extract = r"""sed -n 's/.*"access_token": *"\([^"]*\)".*/\1/p'"""
    if admin.password:
        login = shlex.quote(json.dumps({"email": admin.email, "password": admin.password}))
        account = f"{admin.email}  password {admin.password}"
    else:
        login = f'"{{\\"email\\":\\"{admin.email}\\",\\"password\\":\\"$PASSWORD\\"}}"'
        account = f"{admin.email}  with the password shown at the first start (below: PASSWORD='...')"
    return f"""
  Belfry is up   {settings.public_url}
  Log in as      {account}
  Stop           Ctrl-C

TOKEN=$(curl -s {here}/v1/auth/login {as_json} -d {login} | {extract})
curl -sN {here}/v1/stream {bearer} &
curl -s {here}/v1/notifications {bearer} {as_json} -d '{{"title":"Build passed"}}'
"""
