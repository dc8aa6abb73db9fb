from tests.people import Person


async def test_an_admin_lists_adds_and_lifts(eve: Person) -> None:
    made = [
        await eve.post("/v1/suppressions", 201, address=f"user{n}@example.com", scope="broadcasts") for n in range(3)
    ]
    by_hand = await eve.post("/v1/suppressions", 201, address="Ada@Example.com", detail="asked by telephone")

    assert (by_hand["address"], by_hand["scope"], by_hand["reason"]) == ("Ada@example.com", "all", "manual")
    first = await eve.get("/v1/suppressions", page_size=3)
    rest = await eve.get("/v1/suppressions", page_size=3, cursor=first["next_cursor"])
    assert first["items"] + rest["items"] == [by_hand, *reversed(made)]
    assert rest["next_cursor"] is None
    assert (await eve.get("/v1/suppressions", address="ADA@example.com"))["items"] == [by_hand]
    assert (await eve.get("/v1/suppressions", address="ada"))["items"] == []

    where = f"/v1/suppressions/{by_hand['id']}"
    assert (await eve.client.delete(where)).status_code == 204
    assert (await eve.client.delete(where)).status_code == 404
    assert (await eve.get("/v1/suppressions", address="ada@example.com"))["items"] == []


async def test_an_address_is_suppressed_once_a_scope_whatever_its_case(eve: Person) -> None:
    await eve.post("/v1/suppressions", 201, address="ada@example.com")
    await eve.post("/v1/suppressions", 201, address="ada@example.com", scope="broadcasts")

    await eve.post("/v1/suppressions", 409, address="ADA@example.com")
    assert len((await eve.get("/v1/suppressions"))["items"]) == 2


async def test_only_admins_may(ada: Person, bob: Person, eve: Person) -> None:
    kept = await eve.post("/v1/suppressions", 201, address="ada@example.com")
    for person in (ada, bob):
        assert (await person.client.get("/v1/suppressions")).status_code == 403
        assert (await person.client.delete(f"/v1/suppressions/{kept['id']}")).status_code == 403
        await person.post("/v1/suppressions", 403, address="bob@example.com")

    assert (await eve.get("/v1/suppressions"))["items"] == [kept]
