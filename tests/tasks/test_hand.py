"""When a worker claims, and that letters are neither forgotten, nor kept, nor left running."""

import asyncio
from collections.abc import Callable

import pytest

from tasks.hand import MOST_WAITING, Hand

CONNECTIONS = 4


class Letters:
    """Letters that are sent when the test says so."""

    def __init__(self, hand: Hand) -> None:
        self.begun = self.sent = self.cut_off = self.given_back = 0
        self._hand = hand
        self._may_go = asyncio.Semaphore(0)

    def take(self, count: int) -> None:
        for _ in range(count):
            self._hand.take(self._send, give_back=self._give_back)

    async def go(self, count: int) -> None:
        upto = self.sent + count
        for _ in range(count):
            self._may_go.release()
        await turns(lambda: self.sent >= upto)

    async def _send(self) -> None:
        self.begun += 1
        try:
            await self._may_go.acquire()
            self.sent += 1
        except asyncio.CancelledError:
            self.cut_off += 1
            raise

    def _give_back(self) -> None:
        self.given_back += 1


async def turns(until: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not until():  # noqa: ASYNC110  # a turn of the loop at a time
            await asyncio.sleep(0)


@pytest.fixture
def hand() -> Hand:
    return Hand(connections=CONNECTIONS, spell=60)


@pytest.fixture
def letters(hand: Hand) -> Letters:
    return Letters(hand)


async def test_as_many_are_sent_at_once_as_there_are_connections(hand: Hand, letters: Letters) -> None:
    letters.take(3 * CONNECTIONS)
    await turns(lambda: letters.begun >= CONNECTIONS)
    await asyncio.sleep(0)
    assert letters.begun == CONNECTIONS

    await letters.go(3)
    await turns(lambda: letters.begun >= CONNECTIONS + 3)
    await letters.go(3 * CONNECTIONS - 3)
    await hand.empty()


async def test_the_next_are_claimed_when_half_of_those_that_wait_are_begun(hand: Hand, letters: Letters) -> None:
    hand.ring()
    async with hand:
        assert await hand.room() == 2 * CONNECTIONS
        letters.take(2 * CONNECTIONS)
        hand.ring()
        room = asyncio.create_task(hand.room())
        await letters.go(CONNECTIONS // 2 - 1)
        assert not room.done()
        await letters.go(1)

        assert await room == CONNECTIONS // 2
        await letters.go(2 * CONNECTIONS - CONNECTIONS // 2)

    assert (letters.sent, letters.given_back) == (2 * CONNECTIONS, 0)
    assert not hand.busy


@pytest.mark.parametrize(("sent", "held"), [(50, 50), (10 * MOST_WAITING, MOST_WAITING), (1, CONNECTIONS)])
async def test_about_a_second_s_work_waits_in_hand(
    hand: Hand, letters: Letters, monkeypatch: pytest.MonkeyPatch, sent: int, held: int
) -> None:
    """So urgent mail, which goes behind what was claimed before, waits for little even where the server is slow."""
    now = 1_000.0
    monkeypatch.setattr("tasks.hand.monotonic", lambda: now)
    hand.ring()
    async with hand:
        await hand.room()
        letters.take(sent)
        await letters.go(sent)
        await hand.empty()
        now += 1.0
        hand.ring()

        assert await hand.room() == held + CONNECTIONS


async def test_who_rings_while_few_are_under_way_need_not_wait_for_them(hand: Hand, letters: Letters) -> None:
    async with hand:
        letters.take(1)
        room = asyncio.create_task(hand.room())
        await asyncio.sleep(0)
        hand.ring()

        assert await room == 2 * CONNECTIONS - 1
        nothing = asyncio.create_task(hand.room())
        await letters.go(1)
        assert await nothing == 0


async def test_what_has_not_been_begun_when_the_spell_is_over_is_given_back() -> None:
    """A slow server must not use up the leases of letters that only wait; what it has begun with goes on."""
    hand = Hand(connections=CONNECTIONS, spell=0.01)
    letters = Letters(hand)
    async with hand:
        letters.take(CONNECTIONS + 3)
        hand.ring()
        assert await hand.room() == 0
        letters.take(1)  # a claim may have been under way

    assert (letters.begun, letters.given_back, letters.cut_off) == (CONNECTIONS, 4, 0)
    async with hand:
        hand.ring()
        assert await hand.room() == CONNECTIONS
        await letters.go(CONNECTIONS)
    assert letters.sent == CONNECTIONS


@pytest.mark.parametrize("how", ["finish", "close"])
async def test_what_is_being_sent_goes_on_when_no_more_is_to_be_claimed(hand: Hand, letters: Letters, how: str) -> None:
    hand.ring()
    async with hand:
        letters.take(CONNECTIONS + 1)
        hand.finish() if how == "finish" else hand.close(within=60)
        assert await hand.room() == 0
    assert letters.given_back == 1
    await letters.go(CONNECTIONS)
    await hand.empty()

    assert hand.rung
    async with hand:
        assert await hand.room() == (2 * CONNECTIONS if how == "finish" else 0)


async def test_what_the_server_keeps_is_cut_off_in_time(hand: Hand, letters: Letters) -> None:
    letters.take(CONNECTIONS + 1)
    await turns(lambda: letters.begun == CONNECTIONS)
    hand.close(within=0.01)
    await hand.empty()

    assert (letters.sent, letters.cut_off, letters.given_back) == (0, CONNECTIONS, 1)


async def test_what_goes_wrong_between_claims_stops_no_letter(hand: Hand, letters: Letters) -> None:
    async def work() -> None:
        async with hand:
            letters.take(CONNECTIONS + 1)
            raise ConnectionError

    with pytest.raises(ConnectionError):
        await work()
    await letters.go(CONNECTIONS)

    assert (letters.sent, letters.given_back) == (CONNECTIONS, 1)
