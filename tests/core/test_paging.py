"""Lists in pages, and searches that take what is typed as it stands."""

from app.core.database import Database
from app.core.paging import PAGE_SIZE, Listing, containing, read_page

NUMBERS = Listing(
    columns="n",
    source="FROM generate_series(1, 51) n",
    where="n <= $1",
    order_by="n DESC",
    values=[51],
)


async def test_a_list_has_pages_of_fifty_and_an_empty_one_has_one(database: Database) -> None:
    async with database.snapshot() as tx:
        first = await read_page(tx, NUMBERS, 0, lambda row: row["n"])
        last = await read_page(tx, NUMBERS, 2, lambda row: row["n"])
        beyond = await read_page(tx, NUMBERS, 9, lambda row: row["n"])
    assert (first.page, first.page_count, first.total) == (1, 2, 51)
    assert first.items == tuple(range(51, 51 - PAGE_SIZE, -1))
    assert last.items == (1,)
    assert (beyond.items, beyond.page_count) == ((), 2)


async def test_a_search_takes_its_words_as_they_stand(database: Database) -> None:
    async with database.snapshot() as tx:
        for words, text, found in (
            ("5%", "a 5% off", True),
            ("5%", "a 50 off", False),
            ("a_b", "xa_bx", True),
            ("a_b", "axb", False),
            ("\\", "c:\\d", True),
            ("", "all", True),
        ):
            matches = await tx.fetchval("SELECT $1::text ILIKE $2", text, containing(words))
            assert (words, text, matches) == (words, text, found)
