"""One question, two engines: this file runs whole on both."""

import io

import pytest
from django.core.management import call_command
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from peacekb.checks import search_index_is_whole
from peacekb.documents import document_of, write
from peacekb.models import Page, SearchEntry
from peacekb.publishing import publish, recompose, withdraw
from peacekb.search import (
    entry_named,
    find,
    mended,
    phrases_of,
    postgresql,
    search,
    sections_with,
    sqlite,
    understood,
)
from peacekb.search.marks import CLOSE, OPEN, snippet
from peacekb.search.spelling import slips_between
from peacekb.text.query import MOST_WORDS, read

from .factories import draft_article, published_article, published_concept, published_role

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


def test_essays_stand_on_the_first_page_among_the_entries_of_the_starter_library():
    call_command("seed", verbosity=0, stdout=io.StringIO())
    for query in ("ceasefire", "mediation", "Islamic nations", "peace treaties", "human rights"):
        first = [hit.section.page.kind for hit in search(query).select_related("section__page")[:10]]
        assert "article" in first, query


def test_filters_narrow_by_tag_kind_phase_and_language():
    published_article(title="Both", source="A truce.", tags=["mediation", "reconstruction"])
    published_article(title="One", source="A truce.", tags=["mediation"])
    published_article(title="Trêve", source="A truce.", language="fr")
    published_concept("Truce", phases=["ceasefire"], tags=["mediation"])
    assert titles("truce", tags=["mediation", "reconstruction"]) == ["Both"]
    assert set(titles("truce", any_tags=["mediation", "reconstruction"])) == {"Both", "One", "Truce"}
    assert titles("truce", kind="concept") == ["Truce"]
    assert titles("truce", language="fr") == ["Trêve"]
    assert titles("", tags=["reconstruction"]) == ["Both"]
    assert titles("truce", tags=["nothing"]) == []


def test_an_essay_is_of_the_phases_of_the_entries_that_it_links_and_follows_them():
    entry = published_concept("Truce", "armistice", phases=["ceasefire"])
    essay = published_article(title="Essay", source="A truce.")
    published_article(title="Other", source="Nothing.")
    assert set(titles("", phase="ceasefire")) == {"Truce", "Essay"}
    publish(write({**document_of(entry), "phases": ["mediation"]}, entry.kind, entry))
    assert titles("", phase="ceasefire") == []
    assert set(titles("", phase="mediation")) == {"Truce", "Essay"}
    stored = dict(SearchEntry.objects.values_list("pk", "facts"))
    recompose([entry, essay])
    assert dict(SearchEntry.objects.values_list("pk", "facts")) == stored
    withdraw(entry, reason="Gone.")
    assert titles("", phase="mediation") == []


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
    document = document_of(article)
    publish(write({**document, "source": "An armistice."}, article.kind, article))
    assert (titles("truce"), titles("armistice")) == ([], ["One"])
    article.delete()
    assert titles("armistice") == []
    assert search_index_is_whole(None, databases=["default"]) == []
    published_article(title="Two", source="An armistice.")
    assert titles("armistice") == ["Two"]
    assert search_index_is_whole(None, databases=["default"]) == []


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


# --- what readers can write ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("peace", {"Talks", "Guns", "Law"}),
        ("peace -broker", {"Guns", "Law"}),
        ('-"honest broker" peace', {"Guns", "Law"}),
        ('peace -"broker honest"', {"Talks", "Guns", "Law"}),
        # A place in a text is found, and "without" is said of the place.
        ("-peace", {"Guns", "Other"}),
        ("broker OR armistice", {"Talks", "Guns"}),
        ('peace "honest broker" OR treaty', {"Talks", "Law"}),
        ("broker OR armistice OR treaty -armistice", {"Talks", "Law"}),
        ("peace or armistice", set()),
        ("OR peace", {"Talks", "Guns", "Law"}),
        ("armist*", {"Guns"}),
        ("treati*", {"Law"}),
        ("treatie*", {"Law"}),
        ("treaties*", {"Law"}),
        ("cease-fir*", {"Guns"}),
        ("الوسي*", {"Other"}),
        ("ar*", set()),
        ("*", set()),
        ("peace *", {"Talks", "Guns", "Law"}),
        ("title:guns", {"Guns"}),
        ("title:gun* peace", {"Guns"}),
        ("-title:guns peace", {"Talks", "Law"}),
        ("title:guns OR treaty", {"Guns", "Law"}),
        ("title:armistice", set()),
        ("title:peace", set()),
        ("tag:mediation", {"Talks"}),
        ("Tag:Mediation peace", {"Talks"}),
        ('tag:"conflict resolution"', {"Guns"}),
        ("peace -tag:mediation", {"Guns", "Law"}),
        ("-tag:mediation", {"Guns", "Law", "Other"}),
        ("kind:concept", {"Law"}),
        ("kind:concepts peace", {"Law"}),
        ("-kind:article", {"Law"}),
        ("phase:ceasefire", {"Law"}),
        ("phase:peacemaking peace", set()),
        ("lang:fr", {"Other"}),
        ("lang:english peace", {"Talks", "Guns", "Law"}),
        ("peace after:2014", {"Guns", "Law"}),
        ("peace after:2014 before:2016", {"Guns"}),
        ("after:2014 -after:2015", {"Guns"}),
        ("peace NOT broker", set()),
        ("peace AND broker", {"Talks"}),
        ("NEAR(peace broker)", set()),
        ("{title}:peace", set()),
        ("foo:peace", set()),
    ],
)
def test_what_readers_write_is_understood_alike_by_both_engines(query, found):
    published_article(
        title="Talks", source="Peace by an honest broker.", tags=["mediation"], published_at="2014-12-31T23:59:59Z"
    )
    guns = "An armistice is a cease-fire.\n\n## After it\n\nPeace, then."
    published_article(title="Guns", source=guns, tags=["conflict resolution"], published_at="2015-01-01T00:00:00Z")
    published_concept("Law", source="A treaty of peace.", phases=["ceasefire"], published_at="2016-06-01T00:00:00Z")
    published_article(title="Other", source="وسيط", language="fr", published_at="2013-01-01T00:00:00Z")
    assert set(titles(query)) == found


def test_texts_are_found_by_the_role_that_they_mention():
    published_role("Special envoy", "envoy")
    published_article(title="One", source="A truce.\n\n## Who\n\nThe envoy came.")
    published_article(title="Two", source="A truce.")
    assert (
        titles("truce role:special-envoy")
        == titles('truce role:"Special Envoy"')
        == titles("truce role:envoy")
        == ["One"]
    )
    assert titles("truce -role:envoy") == ["Two"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("tag:nothing", "nothing"), ("tag:secret", "secret"), ("kind:treaty", "treaty"), ("phase:war", "war"),
        ("lang:tlh", "tlh"), ("role:nobody", "nobody"), ("after:soon", "soon"), ("after:0999", "0999"),
        ("before:20155", "20155"), ('-tag:"no such"', '-"no such"'),
    ],
)  # fmt: skip
def test_a_fact_that_nothing_bears_is_searched_as_words_and_said(query, words):
    draft_article(title="Draft", tags=["secret"])
    asked = understood(f"peace {query}")
    ((fact, taken),) = asked.taken_as_words
    assert (str(fact), str(taken)) == (query, words)
    assert str(asked.meant) == f"peace {words}"


_BITS = st.sampled_from(
    ["a", "OR", "or", "-", '"', "tag:", "title:", "Kind:", "*", "peace", "treati*", "-war", "(", ")", "NOT", "NEAR",
     " ", "  ", ":", "foo:", "U.N.", "_", ".", "وسيط", "after:2015",
     "\u202e", "½", "e\u0301", "\ud800", "\x00", "\u0301"]
)  # fmt: skip
_QUERIES = st.one_of(st.text(max_size=40), st.lists(_BITS, max_size=14).map("".join), st.lists(_BITS).map(" ".join))


@settings(max_examples=500, deadline=None)
@given(_QUERIES)
def test_what_was_read_and_written_out_is_read_as_the_same_and_so_is_every_rest_of_it(text):
    query = read(text)
    assert read(str(query)) == query
    for place in range(len(query.parts)):
        assert read(str(query.but(place))) == query.but(place)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_QUERIES)
def test_no_query_is_an_error_in_the_database(text):
    list(search(text, also=[text])[:1])
    entry_named(text)


def test_of_very_many_words_the_first_count():
    assert len(read(" ".join(f"w{n}" for n in range(100))).parts) == MOST_WORDS
    (either,) = read(" OR ".join(f"w{n}" for n in range(100))).parts
    assert len(either.words) == MOST_WORDS


def test_words_that_stand_together_as_they_were_typed_go_first():
    scattered = "Peace came at last. After it a long process began, and peace was in the process."
    published_article(title="One", source=scattered)
    published_article(title="Two", source="A peace process began at last. After it came a long time of this and that.")
    assert titles("peace process") == ["Two", "One"]


def test_of_equal_texts_the_newer_goes_first():
    for year in (2019, 2021, 2020):
        published_article(title="Equal", slug=f"of-{year}", source="A truce.", published_at=f"{year}-01-01T00:00:00Z")
    slugs = [hit.section.page.slug for hit in search("truce").select_related("section__page")]
    assert slugs == ["of-2021", "of-2020", "of-2019"]


def test_texts_are_found_by_another_name_of_what_was_asked_behind_those_with_the_words():
    published_article(title="English", source="A truce, a truce.")
    published_article(title="Cited", source="The parties said much, and somewhere a cessez-le-feu in a long text.")
    assert titles("cessez-le-feu", also=["truce"]) == ["Cited", "English"]
    assert titles("cessez-le-feu -truce", also=["truce"]) == ["Cited"]
    assert titles("cessez-le-feu kind:concept", also=["truce"]) == []


def test_an_entry_is_named_in_any_spelling_and_says_by_which_names_else_to_search():
    rows = [
        {"text": "cessez-le-feu", "language": "fr", "kind": "pref"},
        {"text": "وقف إطلاق النار", "language": "ar", "kind": "pref"},
        {"text": "trêve", "language": "fr"},
        {"text": "ceasfire", "kind": "hidden"},
        {"text": "pause", "ambiguous": True},
    ]
    concept = published_concept(
        "Ceasefire", "truce", "cessation of hostilities", "ceasefire agreement", label_rows=rows
    )
    for name in ("Cessez le feu", "CESSEZ-LE-FEU", "treve", "Trêves", "truces", "وقف اطلاق النار", "pause"):
        assert entry_named(name).page == concept.pk, name
    assert entry_named("ceasfire") is None
    assert entry_named("cessez") is None
    assert set(entry_named("ceasefire").others) == {
        "cessez-le-feu", "وقف إطلاق النار", "trêve", "truce", "cessation of hostilities"
    }  # fmt: skip
    assert "Ceasefire" in entry_named("trêve").others
    assert "ceasefire agreement" not in entry_named("trêve").others, "It finds no more than “Ceasefire”."


def test_of_two_entries_the_one_that_bears_the_name_as_written_is_meant():
    relief = published_concept("Relief", "aids")
    illness = published_concept("Illness", label_rows=[{"text": "AIDS", "case_sensitive": True}])
    assert entry_named("aids").page == relief.pk
    assert entry_named("AIDS").page == illness.pk


def test_other_names_to_search_by_are_few():
    published_concept("Ceasefire", *(f"pause{number}" for number in range(30)))
    assert len(entry_named("ceasefire").others) == 12


# --- misspelt words ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("medation", "Médiation"), ("meditaion", "Médiation"), ("mediaton talks", "Médiation talks"),
        ("reconcilliation", "reconciliation"), ("reconciliatin", "reconciliation"), ("recociliaton", "reconciliation"),
        ("trcue", "truce"), ("ruce", "truce"), ("truces OR wraz", None), ("ttruuce", None),
        ("tuc", None), ("cease fire", "ceasefire"), ("peacetalks", '"peace talk"'), ("talkspeace", None),
        ('"medation"', "Médiation"), ('"medation talks"', None), ("-medation", None), ("title:medation", None),
        ("medat*", None), ("mediation", None), ("الوسيت", "وسيط"), ("zzkind", None), ("12345", None),
    ],
)  # fmt: skip
def test_one_slip_in_a_word_is_forgiven_and_two_in_a_longer_one(typed, meant):
    rows = [{"text": "وسيط", "language": "ar"}]
    published_concept("Médiation", source="Reconciliation, a truce; a ceasefire after peace talks.", label_rows=rows)
    found = mended(read(typed))
    assert (str(found) if found else None) == meant


def test_of_words_equally_near_the_commoner_is_meant_and_none_that_no_reader_finds():
    published_article(title="One", source="Troops.\n\n## More\n\nTroops.")
    published_article(title="Two", source="Troopy things.")
    published_article(title="Later", source="Troopx.\n\n## A\n\nTroopx.\n\n## B\n\nTroopx.", published_at="2990-01-01")
    assert str(mended(read("troopz"))) == "troop"
    assert mended(read("troopxx")) is None


@settings(max_examples=200, deadline=None)
@given(st.text("abcd", max_size=6), st.text("abcd", max_size=6))
def test_slips_are_counted_alike_from_both_sides_and_never_more_than_the_letters(one, other):
    slips = slips_between(one, other, 9)
    assert slips == slips_between(other, one, 9)
    assert (slips == 0) == (one == other)
    assert slips <= max(len(one), len(other))
    assert slips_between(one, other, 1) == slips or slips_between(one, other, 1) > 1


# --- many sections -------------------------------------------------------------------------------


def test_of_very_many_sections_the_newest_are_ranked_and_those_with_the_words_in_a_heading(monkeypatch):
    old = published_article(title="A truce", source="Text.", published_at="2001-01-01")
    hidden = published_article(title="Other", source="A truce.", published_at="2002-01-01")
    newer = [published_article(title=f"Number {number}", source="A truce.") for number in range(4)]
    for module in (sqlite, postgresql):
        monkeypatch.setattr(module, "MOST_RANKED", 4)
    for query in ("truce", "truc*", '"a truce"'):
        found = find(query)
        assert not found.whole
        assert {hit.page for hit in found.hits} == {old.pk, *(page.pk for page in newer)}, query
    assert not {hit.page for hit in find("truce text OR truce", year="2002").hits} - {hidden.pk}


def test_equals_are_ordered_by_how_many_texts_mention_them():
    first, second = (published_concept(name, source="Alike in all.", published_at="2020-01-01") for name in "xy")
    for number in range(2):
        published_article(title=f"Of y {number}", source=f"See [[{second.title}]].")
    pages = [hit.page for hit in find("alike").hits]
    assert pages == [second.pk, first.pk]


# --- snippets ------------------------------------------------------------------------------------


def test_a_snippet_marks_beginnings_and_whole_phrases_and_no_part_of_one():
    published_article(title="One", source="The cessation of all. A cessation of hostilities, and mediators of it.")
    (hit,) = search("mediat*").select_related("section__page")
    found = snippet(hit.section, [*phrases_of("mediat*"), *phrases_of('"cessation of hostilities"')])
    marked = f"A {OPEN}cessation{CLOSE} {OPEN}of{CLOSE} {OPEN}hostilities{CLOSE}, and {OPEN}mediators{CLOSE} of it."
    assert found.text == marked


def test_a_snippet_is_the_sentence_of_the_hit_with_its_paragraph():
    published_article(title="One", source="Nothing here.\n\nStill nothing. The truces held. Later.")
    (hit,) = search("truce").select_related("section__page")
    found = snippet(hit.section, phrases_of("truce"))
    assert (found.text, found.paragraph) == (f"The {OPEN}truces{CLOSE} held.", 2)


def test_a_snippet_of_a_long_sentence_is_cut_at_words():
    words = " ".join(f"word{number}" for number in range(200))
    published_article(title="One", source=f"{words} truce {words}.")
    (hit,) = search("truce").select_related("section__page")
    text = snippet(hit.section, phrases_of("truce")).text
    assert f"{OPEN}truce{CLOSE}" in text
    assert len(text) < 400
    assert text.startswith("… word")
    assert text.endswith(" …")


def test_marks_that_an_author_wrote_cannot_be_taken_for_ours():
    published_article(title="One", source=f"A {OPEN}b{CLOSE} truce.")
    (hit,) = search("truce").select_related("section__page")
    assert snippet(hit.section, phrases_of("truce")).text.count(OPEN) == 1


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
    assert entry_named("TRUCE").page == entry_named("هدنة").page == concept.pk
    assert entry_named("peace") is None
    published_concept("Hudna", "truce")
    assert entry_named("truce") is None


def test_a_search_can_stand_inside_another_query():
    one = published_article(title="One", source="A truce.\n\n## More\n\nA truce.")
    published_article(title="Two", source="A war.")
    found = Page.objects.filter(sections__search_entry__in=search("truce").order_by()).distinct()
    assert list(found.values_list("pk", flat=True)) == [one.pk]


def test_a_search_costs_two_queries_and_one_to_order_equals(django_assert_max_num_queries):
    for number in range(5):
        published_article(title=f"Truce {number}", source="A truce.\n\n## More\n\nA truce.")
    with django_assert_max_num_queries(3):
        assert len(search("truce").select_related("section__page")) == 10


def test_a_lost_part_of_the_index_is_reported_and_rebuild_makes_it_again():
    published_article(title="One", source="A truce.")
    assert search_index_is_whole(None, databases=["default"]) == []
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with checks to come cannot be altered
            cursor.execute("ALTER TABLE peacekb_searchentry DROP COLUMN vector")
        else:
            cursor.execute("DROP TABLE peacekb_fulltext")
    assert {message.id for message in search_index_is_whole(None, databases=["default"])} == {"peacekb.E002"}
    call_command("rebuild", verbosity=0)
    assert search_index_is_whole(None, databases=["default"]) == []
    published_article(title="Two", source="A truce.")
    assert set(titles("truce")) == {"One", "Two"}
