"""When a worker claims, and that letters are neither forgotten nor left running."""

import asyncio

import pytest

from tasks.hand import FULL, WORTH_A_CLAIM, Hand


class Letters:
    """Letters that are sent when the test says so."""

    def __init__(self) -> None:
        self.sent = 0
        self.ended = 0
        self._may_go = asyncio.Semaphore(0)

    async def send(self) -> None:
        try:
            await self._may_go.acquire()
            self.sent += 1
        finally:
            self.ended += 1

    async def go(self, count: int) -> None:
        upto = self.ended + count
        for _ in range(count):
            self._may_go.release()
        while self.ended < upto:  # noqa: ASYNC110  # a turn of the loop at a time
            await asyncio.sleep(0)


async def test_the_next_are_claimed_when_half_of_those_before_are_sent() -> None:
    hand, letters = Hand(), Letters()
    hand.ring()
    async with hand:
        assert await hand.room() == FULL
        for _ in range(FULL):
            hand.take(letters.send())
        hand.ring()
        room = asyncio.create_task(hand.room())
        await letters.go(WORTH_A_CLAIM - 1)
        assert not room.done()
        await letters.go(1)

        assert await room == WORTH_A_CLAIM
        await letters.go(FULL - WORTH_A_CLAIM)

    assert letters.sent == FULL
    assert not hand.busy


async def test_who_rings_while_few_are_under_way_need_not_wait_for_them() -> None:
    hand, letters = Hand(), Letters()
    async with hand:
        hand.take(letters.send())
        room = asyncio.create_task(hand.room())
        await asyncio.sleep(0)
        hand.ring()

        assert await room == FULL - 1
        nothing = asyncio.create_task(hand.room())
        await letters.go(1)
        assert await nothing == 0


@pytest.mark.parametrize("how", ["finish", "close"])
async def test_what_is_in_hand_is_sent_when_no_more_is_to_be_claimed(how: str) -> None:
    hand, letters = Hand(), Letters()
    hand.ring()
    async with hand:
        hand.take(letters.send())
        getattr(hand, how)()
        assert await hand.room() == 0
        going = asyncio.create_task(letters.go(1))
    await going

    assert letters.sent == 1
    assert hand.rung
    async with hand:
        assert await hand.room() == (FULL if how == "finish" else 0)


@pytest.mark.parametrize("inside", [True, False], ids=["while it waits for room", "while it waits for the last"])
async def test_cancelled_it_is_left_when_all_its_letters_have_ended(inside: bool) -> None:
    hand, letters = Hand(), Letters()

    async def work() -> None:
        async with hand:
            for _ in range(3):
                hand.take(letters.send())
            if inside:
                await hand.room()

    working = asyncio.create_task(work())
    for _ in range(5):  # turns of the loop, in which they begin
        await asyncio.sleep(0)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working

    assert (letters.sent, letters.ended) == (0, 3)
    assert not hand.busy


async def test_what_goes_wrong_between_claims_stops_no_letter() -> None:
    hand, letters = Hand(), Letters()
    going = asyncio.create_task(letters.go(1))

    async def work() -> None:
        async with hand:
            hand.take(letters.send())
            raise ConnectionError

    with pytest.raises(ConnectionError):
        await work()
    await going

    assert letters.sent == 1
