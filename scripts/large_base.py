"""A large base within minutes: some essays are published, and every row that publishing makes of them is copied."""

from typing import Any

from measuring import Generator
from search_base import entries_of

ORIGINALS = 200
_NAMES_A_PAGE = 5
_APART = 1_000_000  # between the keys of one copy and those of the next


def publish_originals(generator: Generator, phrases: list[tuple[str, int]]) -> None:
    """Publish the essays that are copied later. Each phrase stands in one essay of so many; it is no name yet."""
    from peacekb.documents import write
    from peacekb.publishing import publish_many

    pages = []
    for number in range(ORIGINALS):
        document = generator.essay(number, length=240)
        own = [phrase for phrase, one_in in phrases if number % one_in == 0]
        document |= {"slug": f"essay-{number}-copy-0", "source": "\n\n".join([document["source"], *own])}
        pages.append(write(document, "article"))
    publish_many(pages)


def copy_essays(start: int, stop: int) -> None:
    """Make the copies `start` to `stop - 1` of all originals, with addresses of their own."""
    from django.core.management.color import no_style
    from django.db import connection
    from django.db.models import Count, Max, Min

    from peacekb import search
    from peacekb.models import Article, Beginning, Mention, Page, Revision, Section, SectionTree, TaggedPage

    by_page: dict[Any, str] = {Page: "id", TaggedPage: "content_object_id"}
    by_page |= dict.fromkeys((Article, Revision, Beginning), "page_id")
    by_section: dict[Any, str] = {SectionTree: "section_id", Mention: "section_id"}
    ends = {"first": Min("pk"), "last": Max("pk"), "count": Count("pk")}
    pages = Page.objects.filter(slug__startswith="essay-", slug__endswith="-copy-0").aggregate(**ends)
    sections = Section.objects.filter(page__pk__range=(pages["first"], pages["last"])).aggregate(**ends)
    for rows in (pages, sections):
        if rows["count"] != rows["last"] - rows["first"] + 1:
            raise AssertionError("Other rows stand among those of the originals.")
    tables = [(*one, pages) for one in (*by_page.items(), (Section, "page_id"))]
    tables += [(*one, sections) for one in by_section.items()]
    with connection.cursor() as cursor:
        for model, owner, rows in tables:
            fields = model._meta.local_concrete_fields
            names = ", ".join(f'"{field.column}"' for field in fields)
            values = ", ".join(_copied(field, connection) for field in fields)
            cursor.execute(
                f"INSERT INTO {model._meta.db_table} ({names}) "  # noqa: S608  names of our own models
                "WITH RECURSIVE copies(n) AS (SELECT %s UNION ALL SELECT n + 1 FROM copies WHERE n + 1 < %s) "
                f"SELECT {values} FROM {model._meta.db_table} t, copies "
                f"WHERE t.{owner} BETWEEN %s AND %s ORDER BY n",
                [start, stop, rows["first"], rows["last"]],
            )
        for statement in connection.ops.sequence_reset_sql(no_style(), [model for model, *_ in tables]):
            cursor.execute(statement)
    # The words of an entry are with the engine, which no copying of rows reaches.
    for copy in range(start, stop):
        search.store(entries_of(range(pages["first"] + copy * _APART, pages["last"] + copy * _APART + 1)))


def _copied(field: Any, connection: Any) -> str:
    """Give what copy `n` has in a column."""
    column = f't."{field.column}"'
    if field.primary_key or field.name in ("page", "section", "content_object"):
        return f"{column} + n * {_APART}"
    if field.name == "slug":
        return f"replace({column}, '-copy-0', '-copy-' || n)"
    if field.name == "content":  # the document of a revision holds the address
        text = f"replace(CAST({column} AS text), '-copy-0\"', '-copy-' || n || '\"')"
        return f"CAST({text} AS {field.db_type(connection)})"
    return column


def check_base(size: int) -> None:
    """Make sure that there are so many essays, as publishing would have made them, all of them in the index."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from peacekb import search
    from peacekb.models import Edition, Page
    from peacekb.publishing import recompose

    essays = Page.objects.filter(slug__contains="-copy-").order_by("slug")
    wrong = search.engine().problems()
    if essays.count() != size:
        wrong.append(f"{essays.count():,} essays, not {size:,}")
    with CaptureQueriesContext(connection) as asked:
        recompose(essays[:: max(1, size // 50)])
    # Composing again counts up the edition, and changes nothing else.
    written = [one["sql"] for one in asked if one["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    wrong += [sql[:300] for sql in written if Edition._meta.db_table not in sql]
    if wrong:
        raise AssertionError(f"The base is not as publishing makes it: {wrong[0]}.")


def store_names(labels: list[str]) -> None:
    """Store concepts with these labels as their names, as publishing would leave the rows that the linker reads."""
    from django.db import connection
    from django.utils import timezone

    from peacekb.models import Label, Page

    start, now = Page.objects.order_by("-pk").values_list("pk", flat=True)[0] + 1, timezone.now()
    pages = [
        Page(kind="concept", slug=f"name-{start}-{place}", title=labels[place], status="published", published_at=now)
        for place in range(0, len(labels), _NAMES_A_PAGE)
    ]
    Page.objects.bulk_create(pages, batch_size=500)
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO peacekb_concept (page_id) VALUES (%s)", [(page.pk,) for page in pages])
    names = [Label(page=pages[place // _NAMES_A_PAGE], text=text) for place, text in enumerate(labels)]
    Label.objects.bulk_create(names, batch_size=500)
