"""One question, two engines: this file runs whole on both."""

import io

import pytest
from django.core.management import call_command
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from peacekb.checks import search_index_is_whole
from peacekb.models import Page, SearchEntry
from peacekb.search import entry_named, phrases_of, search, sections_with
from peacekb.search.marks import CLOSE, OPEN, snippet

from .factories import draft_article, published_article, published_concept

pytestmark = pytest.mark.django_db


def titles(text: str, **filters) -> list[str]:
    return [hit.section.page.title for hit in search(text, **filters).select_related("section__page")]


def pages_holding(names: list[str]) -> set[int]:
    return {page for _, page, _, _ in sections_with(names)}


def test_a_word_in_the_title_ranks_above_the_same_word_in_the_body():
    published_article(title="Guns fall silent", source="A ceasefire holds.")
    published_article(title="Ceasefires", source="About truces.")
    assert titles("ceasefire") == ["Ceasefires", "Guns fall silent"]


def test_all_words_must_stand_in_the_section_and_a_phrase_in_order():
    published_article(title="One", source="The honest broker of peace.")
    published_article(title="Two", source="Peace came, the broker was honest.")
    assert set(titles("peace broker")) == {"One", "Two"}
    assert titles('"honest broker"') == ["One"]
    assert titles("peace war") == []


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("A médiation began.", "mediation"),
        ("A mediation began.", "MÉDIATION"),
        ("Two treaties.", "treaty"),
        ("One treaty.", "treaties"),
        ("قال للوَسيط شيئا.", "الوسيط"),
        ("The cease-fire held.", "cease fire"),
        ("L'accord est signé.", "accord"),
        ("S/RES/1325 (2000) says.", "1325"),
        ("Œuvre de paix.", "oeuvre"),
    ],
)
def test_spellings_of_one_word_find_each_other(text, query):
    published_article(title="Found", source=text)
    assert titles(query) == ["Found"]


def test_an_essay_stands_on_the_first_page_among_the_entries_of_the_starter_library():
    call_command("seed", verbosity=0, stdout=io.StringIO())
    for query in ("ceasefire", "mediation", "Islamic nations", "peace treaties", "human rights"):
        places = [hit.section.page.slug for hit in search(query).select_related("section__page")]
        assert places.index("diplomacy-in-peacekeeping") < 10, query


def test_filters_narrow_by_tag_kind_phase_and_language():
    published_article(title="Both", source="A truce.", tags=["mediation", "reconstruction"])
    published_article(title="One", source="A truce.", tags=["mediation"])
    published_article(title="Trêve", source="A truce.", language="fr")
    published_concept("Truce", phases=["ceasefire"], tags=["mediation"])
    assert titles("truce", tags=["mediation", "reconstruction"]) == ["Both"]
    assert set(titles("truce", any_tags=["mediation", "reconstruction"])) == {"Both", "One", "Truce"}
    assert titles("truce", kind="concept") == titles("truce", phase="ceasefire") == ["Truce"]
    assert titles("truce", language="fr") == ["Trêve"]
    assert titles("", tags=["reconstruction"]) == ["Both"]
    assert titles("truce", tags=["nothing"]) == []


def test_a_tag_with_a_hyphen_or_arabic_letters_is_one_filter():
    published_article(title="One", tags=["conflict resolution"])
    published_article(title="Two", tags=["وساطة"])
    assert titles("", tags=["conflict-resolution"]) == ["One"]
    assert titles("", tags=["وساطة"]) == ["Two"]
    assert titles("", tags=["conflict"]) == []


def test_drafts_are_found_nowhere():
    draft_article(title="Secret", source="A secret truce.")
    assert titles("secret") == []
    assert pages_holding(["truce"]) == set()


def test_the_index_follows_every_change_and_deletion():
    article = published_article(title="One", source="A truce.")
    entry = SearchEntry.objects.get(section__page=article)
    entry.text = "armistice"
    entry.save()
    assert (titles("truce"), titles("armistice")) == ([], ["One"])
    article.delete()
    assert titles("armistice") == []


@pytest.mark.parametrize(
    "text",
    ["", " ", '"', '""', "'", "(", ")", "*", "a*", "NOT", "AND", "NEAR(a b)", "title:x", "-x", "C++", "it's", "a\x00b",
     "^a", "{a b}", "\ud800", "\u202e",
     "word " * 10_000, "'; DROP TABLE x; --", "a:*", "!a & b | c", "<->", "\\", "😀", "和" * 1_000,
     "½ ⑴ ²", "a" * 3_000, "zzcutoffzz"],
)  # fmt: skip
def test_no_input_is_an_error(text):
    published_article(title="One", source="A truce.")
    list(search(text))
    entry_named(text)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=80))
def test_no_text_at_all_is_an_error(text):
    list(search(text, tags=["a"])[:1])


def test_a_snippet_is_the_sentence_of_the_hit_with_its_paragraph():
    published_article(title="One", source="Nothing here.\n\nStill nothing. The truces held. Later.")
    (hit,) = search("truce").select_related("section__page")
    found = snippet(hit, phrases_of("truce"))
    assert (found.text, found.paragraph) == (f"The {OPEN}truces{CLOSE} held.", 2)


def test_a_snippet_of_a_long_sentence_is_cut_at_words():
    words = " ".join(f"word{number}" for number in range(200))
    published_article(title="One", source=f"{words} truce {words}.")
    (hit,) = search("truce").select_related("section__page")
    text = snippet(hit, phrases_of("truce")).text
    assert f"{OPEN}truce{CLOSE}" in text
    assert len(text) < 400
    assert text.startswith("… word")
    assert text.endswith(" …")


def test_marks_that_an_author_wrote_cannot_be_taken_for_ours():
    published_article(title="One", source=f"A {OPEN}b{CLOSE} truce.")
    (hit,) = search("truce").select_related("section__page")
    assert snippet(hit, phrases_of("truce")).text.count(OPEN) == 1


def test_pages_with_a_name_are_a_superset_of_those_that_the_linker_finds():
    one = published_article(title="One", source="Two peace treaties, *post-*conflict.")
    assert pages_holding(["peace treaty"]) == pages_holding(["post-conflict"]) == {one.pk}
    assert pages_holding([f"name {number}" for number in range(300)]) == set()


def test_pages_with_a_name_are_found_at_the_end_of_a_long_text_too():
    source = "\n\n".join(f"peace word{number} process other{number}. " * 60 for number in range(200))
    article = published_article(title="Long", source=f"{source}\n\nA peace process here.")
    assert pages_holding(["Peace process"]) == {article.pk}


def test_an_entry_is_named_by_any_of_its_labels():
    concept = published_concept("Ceasefire", "truce", label_rows=[{"text": "هدنة", "language": "ar"}])
    assert entry_named("TRUCE").pk == entry_named("هدنة").pk == concept.pk
    assert entry_named("peace") is None
    published_concept("Hudna", "truce")
    assert entry_named("truce") is None


def test_a_search_can_stand_inside_another_query():
    one = published_article(title="One", source="A truce.\n\n## More\n\nA truce.")
    published_article(title="Two", source="A war.")
    found = Page.objects.filter(sections__search_entry__in=search("truce").order_by()).distinct()
    assert list(found.values_list("pk", flat=True)) == [one.pk]


def test_a_search_costs_one_query(django_assert_num_queries):
    for number in range(5):
        published_article(title=f"Truce {number}", source="A truce.\n\n## More\n\nA truce.")
    with django_assert_num_queries(1):
        assert len(search("truce").select_related("section__page")) == 10


def test_a_lost_part_of_the_index_is_reported_and_rebuild_makes_it_again():
    published_article(title="One", source="A truce.")
    assert search_index_is_whole(None, databases=["default"]) == []
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with checks to come cannot be altered
            cursor.execute("ALTER TABLE peacekb_searchentry DROP COLUMN vector")
        else:
            cursor.execute("DROP TRIGGER peacekb_fulltext_insert")
            cursor.execute("DROP TRIGGER peacekb_fulltext_update")
    assert {message.id for message in search_index_is_whole(None, databases=["default"])} == {"peacekb.E002"}
    call_command("rebuild", verbosity=0)
    assert search_index_is_whole(None, databases=["default"]) == []
    published_article(title="Two", source="A truce.")
    assert set(titles("truce")) == {"One", "Two"}
