"""A client whose network goes away says nothing. Its stream must not stay for the hours that TCP would wait."""

import asyncio
import time

import msgspec
import pytest

from belfry.settings import Settings
from db import Database
from tests.realtime.elsewhere import HERE, elsewhere, needed
from tests.realtime.raw import eventually
from tests.serving import serving

NOTICED = 15.0
SLOW_MACHINE = 0.5
LATE = 6.5  # seconds; what is sent now must not begin a wait of its own


@needed
@pytest.mark.slow
async def test_a_client_that_vanished_is_noticed_whether_it_is_written_to_or_not(
    settings: Settings, db: Database
) -> None:
    reachable = msgspec.structs.replace(settings, host=HERE, position_check_seconds=3_600.0)
    async with elsewhere() as machine, serving(reachable) as belfry, serving(settings) as near:
        users = belfry.given.live.hub.users
        async with near.person("ada@example.com", role="sender") as ada, near.person("bob@example.com") as bob:
            clients = [await machine.listen(person, belfry.port) for person in (ada, bob)]
            try:
                await eventually(lambda: {ada.id, bob.id} <= users.keys())
                await machine.vanish()
                vanished = time.monotonic()
                await asyncio.sleep(LATE)
                assert {ada.id, bob.id} <= users.keys()
                await ada.post("/v1/alerts", 202, to=ada.id, title="Anybody there?")
                for person in (bob, ada):
                    await eventually(lambda person=person: person.id not in users, within=40)  # type: ignore[misc]
                    took = time.monotonic() - vanished
                    print(f"{person.email} noticed after {took:.1f} s")
                    assert took < NOTICED + SLOW_MACHINE, person.email
            finally:
                for client in clients:
                    client.kill()
                    await client.wait()
