"""What readers search in vain: counted without a person, mended by editors, and checked from then on."""

import html
import io
import re
import threading
from datetime import date, timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.utils import timezone

from peacekb import asked, publishing
from peacekb.asked import asked_often, recording
from peacekb.asked.recording import Counted, Recorder, may_keep, store
from peacekb.models import Concept, Edition, Label, NameChange, Page, Revision, SearchCheck, SearchQuery, Status

from .factories import draft_article, published_article, published_concept
from .test_admin import sent_by
from .test_errors import a_writer_who_does_not_finish
from .test_suggestions import browser_of, words_of

DESK = "/admin/peacekb/searchquery/"
TODAY = date(2026, 11, 24)
How = SearchCheck.How

database = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def searched(*texts, found=0, named=False, day=TODAY):
    """Store that readers asked so, on one day."""
    counted: dict[str, Counted] = {}
    for text in texts:
        counted.setdefault(asked.plain_words(text), Counted(texts=found, named=named)).spellings[text] += 1
    store(counted, day)
    return SearchQuery.objects.get(words=asked.plain_words(texts[0]))


def all_words_of(response):
    """Give what stands on a page, messages and all, in one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", response.text)).split())


def mend_address(query):
    return f"{DESK}{query.pk}/mend/"


@pytest.fixture
def editor(db):
    return browser_of("hala", "Editors")


@pytest.fixture
def publisher(db):
    return browser_of("paul", "Publishers")


# --- what is counted, and what is never kept ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '"peace process"',
        "peace -war",
        "peace OR truce",
        "tag:peace talks",
        "title:peace",
        "mediat*",
        "before:2015",
        "…",
    ],
)
def test_only_words_and_nothing_else_are_a_query_that_counts(text):
    assert asked.plain_words(text) == ""


def test_case_accents_and_plurals_make_no_difference_and_the_order_does():
    assert asked.plain_words("Peace Treaties") == asked.plain_words("péace treaty") == "peace treaty"
    assert asked.plain_words("treaty peace") == "treaty peace"


@pytest.mark.parametrize(
    "text",
    [
        "ann@example.org",
        "write to ann @ example",
        "+49 170 1234567",
        "(0170) 123-45-67",
        "12345678",
        "٠١٢٣٤٥٦٧٨",
        "a" * 101,
    ],
)
def test_what_may_be_somebodys_is_not_kept(text):
    assert not may_keep(text)


@pytest.mark.parametrize("text", ["resolution 1325", "1995-2005", "A/66/811", "S/2000/1325", "a" * 100])
def test_years_and_symbols_of_documents_are_kept(text):
    assert may_keep(text)


@database
def test_nothing_that_is_stored_tells_who_asked_or_at_what_time():
    fields = {field.name: field.get_internal_type() for field in SearchQuery._meta.get_fields()}
    assert set(fields) == {
        "id", "words", "text", "lead", "texts", "named", "asked", "days", "first_day", "last_day", "dismissed"
    }  # fmt: skip
    assert "DateTimeField" not in fields.values()


@database
def test_spellings_are_counted_together_and_the_commonest_is_shown():
    searched("zanzibarine flag")
    searched("Zanzibarine Flags", "Zanzibarine Flags", "Zanzibarine Flags")
    query = searched("ZANZIBARINE FLAG")
    assert SearchQuery.objects.count() == 1
    assert (query.text, query.asked, query.days) == ("Zanzibarine Flags", 5, 1)


@database
def test_days_are_counted_and_what_was_found_is_of_the_last_time():
    searched("flag", found=0, day=TODAY - timedelta(days=2))
    query = searched("flag", found=4, named=True)
    assert (query.asked, query.days, query.texts, query.named) == (2, 2, 4, True)
    assert (query.first_day, query.last_day) == (TODAY - timedelta(days=2), TODAY)


@database
def test_what_nobody_asked_for_ninety_days_is_deleted():
    searched("old flag", day=TODAY - timedelta(days=91))
    searched("flag", day=TODAY - timedelta(days=90))
    searched("new flag")
    assert set(SearchQuery.objects.values_list("text", flat=True)) == {"flag", "new flag"}


@database
def test_a_flood_of_queries_pushes_out_nothing_but_itself(monkeypatch):
    monkeypatch.setattr(recording, "MOST_KEPT", 3)
    searched("known", "known")
    searched("first")
    searched(*[f"flood {letter}" for letter in "abcdefgh"])
    kept = set(SearchQuery.objects.values_list("text", flat=True))
    assert len(kept) == 3
    assert {"known", "first"} < kept


@pytest.fixture
def noted(monkeypatch, settings):
    """Collect what the page of results counts."""
    settings.KEEP_SEARCHES = True
    found = []
    monkeypatch.setattr(asked, "note", lambda words, text, **what: found.append((words, text, what)))
    return found


@database
def test_a_search_is_counted_with_what_it_found(client, noted):
    published_concept("Ceasefire", source="An agreed end to fighting.")
    client.get("/search/?q=Ceasefires")
    client.get("/fr/search/?q=zanzibarine")
    assert noted == [
        ("ceasefire", "Ceasefires", {"texts": 1, "named": True}),
        ("zanzibarine", "zanzibarine", {"texts": 0, "named": False}),
    ]


@database
@pytest.mark.parametrize("rest", ["kind=concept", "page=2", "lang=en", "only=words"])
def test_filters_and_further_pages_are_not_counted(client, noted, rest):
    for number in range(21):
        published_concept(f"Concept {number}", source="A flag.")
    assert client.get(f"/search/?q=flag&{rest}").status_code == 200
    assert noted == []


@database
def test_the_searches_of_those_who_edit_are_not_counted(editor, noted):
    assert editor.get("/search/?q=zanzibarine").status_code == 200
    assert noted == []


@database
def test_an_answer_that_found_little_is_kept_by_nobody_so_that_each_asking_counts(client, noted):
    published_concept("Ceasefire", source="An agreed end to fighting.")
    assert client.get("/search/?q=zanzibarine")["Cache-Control"] == "no-cache"
    assert client.get("/search/?q=fighting")["Cache-Control"] == "no-cache"
    for address in ("/search/?q=ceasefire", "/search/", "/search/?q=zanzibarine&kind=concept"):
        assert "Cache-Control" not in client.get(address), address


# --- writing, beside the searches -----------------------------------------------------------------------------------


@pytest.fixture
def recorder(settings):
    """A process that writes its searches at once, in a thread of its own as in a site."""
    settings.KEEP_SEARCHES = True
    yield Recorder(write_after=0)
    all_is_written()


def all_is_written():
    for thread in threading.enumerate():
        if thread.name == "searches":
            thread.join()


@committed
def test_a_search_is_written_by_a_thread_that_closes_its_connection(recorder):
    recorder.note("flag", "Flags", texts=2, named=False)
    all_is_written()
    query = SearchQuery.objects.get()
    assert (query.words, query.text, query.texts, query.asked, query.days) == ("flag", "Flags", 2, 1, 1)
    assert query.first_day == query.last_day == timezone.now().date()


@committed
def test_an_operator_can_turn_counting_off(recorder, settings):
    settings.KEEP_SEARCHES = False
    recorder.note("flag", "flag", texts=0, named=False)
    all_is_written()
    assert not SearchQuery.objects.exists()


@committed
def test_a_text_that_may_be_somebodys_is_never_written(recorder):
    recorder.note("ann example org", "ann@example.org", texts=0, named=False)
    all_is_written()
    assert not SearchQuery.objects.exists()


@committed
def test_threads_and_processes_lose_no_search_of_each_other(settings, monkeypatch):
    settings.KEEP_SEARCHES = True
    monkeypatch.setattr(recording, "_PATIENCE", 60_000)
    processes = [Recorder(write_after=0.05) for _ in range(3)]
    together = threading.Barrier(len(processes) * 4)

    def ask(process):
        together.wait()
        for number in range(50):
            process.note(f"word {number % 10}", f"word {number % 10}", texts=0, named=False)

    readers = [threading.Thread(target=ask, args=[process]) for process in processes for _ in range(4)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    all_is_written()
    assert dict(SearchQuery.objects.values_list("words", "asked")) == {f"word {number}": 60 for number in range(10)}
    assert set(SearchQuery.objects.values_list("days", flat=True)) == {1}


@committed
def test_a_process_remembers_so_many_different_searches_and_no_more(settings):
    settings.KEEP_SEARCHES = True
    recorder = Recorder(write_after=0.2, most=2)
    for text in ("one", "two", "three", "one"):
        recorder.note(text, text, texts=0, named=False)
    all_is_written()
    assert dict(SearchQuery.objects.values_list("words", "asked")) == {"one": 2, "two": 1}


@committed
def test_while_another_writes_readers_search_and_what_they_ask_is_dropped(client, recorder, monkeypatch):
    monkeypatch.setattr(recording, "_PATIENCE", 50)
    monkeypatch.setattr(asked, "note", recorder.note)
    with a_writer_who_does_not_finish("peacekb_searchquery"):
        assert client.get("/search/?q=zanzibarine").status_code == 200
        all_is_written()
    assert not SearchQuery.objects.exists()
    client.get("/search/?q=zanzibarine")
    all_is_written()
    assert SearchQuery.objects.get().asked == 1


@committed
def test_counting_a_search_is_no_change_for_readers(recorder):
    published_concept("Ceasefire")
    before = Edition.objects.get().number
    recorder.note("flag", "flag", texts=0, named=False)
    all_is_written()
    assert SearchQuery.objects.exists()
    assert Edition.objects.get().number == before


# --- asked often ----------------------------------------------------------------------------------------------------


@database
def test_what_is_asked_often_and_finds_a_text_is_offered_to_others():
    published_article(title="Flags", source="The honest broker and the flag of truce.")
    searched(*["Honest brokers"] * 5, found=1)
    for days in (2, 1, 0):
        searched("honest flag", found=1, day=TODAY - timedelta(days=days))
    searched(*["honest truce"] * 4, found=1)
    searched(*["hone"] * 9, found=0)
    assert asked_often("hon", 5) == ["Honest brokers", "honest flag"]
    assert asked_often("Honest BRO", 5) == ["Honest brokers"]
    assert asked_often("hon", 1) == ["Honest brokers"]
    assert asked_often("broker", 5) == asked_often("", 5) == asked_often("…", 5) == []


@database
def test_nothing_is_offered_that_only_an_unpublished_text_holds():
    page = published_article(title="Flags", source="The zanzibarine flag.")
    draft_article(title="Secret", source="A sultanate.")
    searched(*["zanzibarine"] * 5, found=1)
    searched(*["sultanate"] * 5, found=1)
    assert asked_often("zan", 5) == ["zanzibarine"]
    assert asked_often("sul", 5) == []
    publishing.withdraw(page)
    assert asked_often("zan", 5) == []


# --- the desk -------------------------------------------------------------------------------------------------------


def test_an_empty_desk_says_what_belongs_there(editor):
    assert "Nothing waits. When readers search words that find little, they appear here" in words_of(editor.get(DESK))
    assert "No search is mended yet." in words_of(editor.get(f"{DESK}?show=mended"))
    assert "No search is dismissed." in words_of(editor.get(f"{DESK}?show=dismissed"))


def test_what_finds_little_waits_and_the_most_asked_stands_first(editor):
    searched("once")
    searched("often", "often", "Often")
    searched("few", found=2)
    searched("an entry", found=2, named=True)
    searched("enough", found=3)
    listed = words_of(editor.get(DESK))
    assert "Waiting (3)" in listed
    assert listed.index("often 3 1 24 Nov 2026 nothing") < listed.index("once 1 1 24 Nov 2026 nothing")
    assert "few 1 1 24 Nov 2026 2 texts" in listed
    assert "an entry" not in listed.partition("Found")[2]
    assert "enough" not in listed
    assert "once" not in words_of(editor.get(f"{DESK}?found=few"))
    assert "few 1" not in words_of(editor.get(f"{DESK}?found=none"))
    assert "often 3" in words_of(editor.get(f"{DESK}?q=OFTEN"))
    assert "No search is like this." in words_of(editor.get(f"{DESK}?q=nowhere"))


def test_a_query_is_shown_as_text(editor):
    query = searched("<script>alert(1)</script> flag")
    for address in (DESK, mend_address(query)):
        assert "<script>alert" not in editor.get(address).text
        assert "&lt;script&gt;alert(1)" in editor.get(address).text


def test_the_desk_is_for_those_who_may_see_it_and_its_deeds_for_those_who_may_mend(client, db):
    query = searched("flag")
    deeds = [mend_address(query), f"{DESK}{query.pk}/dismiss/", f"{DESK}{query.pk}/undo/"]
    assert client.get(DESK).status_code == 302
    stranger = browser_of("nobody")
    assert [stranger.post(address).status_code for address in [DESK, *deeds]] == [403] * 4
    looker = browser_of("ines")
    User.objects.get(username="ines").user_permissions.add(Permission.objects.get(codename="view_searchquery"))
    assert "Dismiss" not in words_of(looker.get(DESK)).partition("Found")[2]
    assert [looker.post(address).status_code for address in deeds] == [403] * 3
    assert not SearchQuery.objects.filter(dismissed=True).exists()


def test_addresses_that_nobody_made_are_answered(editor):
    query = searched("flag")
    assert editor.get(f"{DESK}word/mend/").status_code == 404
    assert editor.get(f"{DESK}{10**30}/mend/").status_code == 404
    assert editor.get(f"{DESK}?words__regex=x").status_code == 400
    assert editor.get(f"{DESK}?q=%00&show=%00&found=x&page=x").status_code == 200
    assert [editor.get(f"{DESK}{query.pk}/{deed}/").status_code for deed in ("dismiss", "undo", "forget")] == [405] * 3
    assert editor.post(f"{DESK}{query.pk}/forget/").status_code == 404
    assert editor.post(mend_address(query), {"deed": "burn"}).status_code == 200
    for page in ("0", "x", str(10**30), "\x00"):
        response = editor.post(mend_address(query), {"deed": "chosen", "language": "en", "page": page})
        assert "That page is not public any more." in words_of(response)
    assert not SearchCheck.objects.exists()


def test_a_search_is_dismissed_and_waits_again(editor):
    query = searched("flag")
    editor.post(f"{DESK}{query.pk}/dismiss/")
    assert "Waiting (0)" in words_of(editor.get(DESK))
    searched("flag")
    assert "Waiting (0)" in words_of(editor.get(DESK))
    editor.post(f"{DESK}{query.pk}/undo/")
    assert "Waiting (1)" in words_of(editor.get(DESK))


def test_pages_that_may_be_meant_are_offered(editor):
    published_concept("Mediation", "go-between")
    published_concept("Ceasefire")
    draft_article(title="Mediators", source="Secret.")
    query = searched("mediaton")
    offered = words_of(editor.get(mend_address(query)))
    assert "Mediation (concept)" in offered
    assert "Ceasefire" not in offered
    assert "Mediators" not in offered


# --- a name ---------------------------------------------------------------------------------------------------------


def test_a_publisher_sees_the_links_first_and_then_the_name_is_public(publisher, client):
    concept = published_concept("Ceasefire", source="An agreed end to fighting.")
    essay = published_article(title="Flags", source="A white flag was raised.")
    query = searched("white flags")
    posted = {"deed": "name", "other": "Ceasefire", "name": "white flag", "language": "en"}
    asks = publisher.post(mend_address(query), posted)
    assert "1 link appears" in words_of(asks)
    assert not concept.labels.filter(text="white flag").exists()
    assert not SearchCheck.objects.exists()
    publisher.post(mend_address(query), sent_by(asks, "_names_confirmed=1"))
    assert concept.labels.get(text="white flag").kind == "alt"
    assert 'href="/concepts/ceasefire/"' in client.get(essay.get_absolute_url()).text
    assert NameChange.objects.get().editor_name == "paul"
    check = SearchCheck.objects.get()
    assert (check.words, check.page_id, check.how) == ("white flag", concept.pk, How.NAME)
    assert "Waiting (0) Mended (1)" in words_of(publisher.get(DESK))
    assert 'id="entry"' in client.get("/search/?q=White+flags").text


def test_a_misspelt_name_finds_the_page_and_is_never_shown(publisher, client):
    concept = published_concept("Ceasefire")
    posted = {"deed": "name", "other": "/concepts/ceasefire/", "name": "ceasfire", "language": "en", "hidden": "on"}
    publisher.post(mend_address(searched("ceasfire")), posted)
    assert concept.labels.get(text="ceasfire").kind == Label.LabelKind.HIDDEN
    assert "ceasfire" not in client.get("/concepts/ceasefire/").text
    assert 'href="/concepts/ceasefire/' in client.get("/search/?q=ceasfire").text


def test_what_an_editor_names_waits_in_a_draft(editor):
    concept = published_concept("Ceasefire")
    posted = {"deed": "name", "other": "ceasefire", "name": "white flag", "language": "en"}
    told = all_words_of(editor.post(mend_address(searched("white flag")), posted, follow=True))
    assert "“white flag” is kept as a name in a draft" in told
    assert not concept.labels.filter(text="white flag").exists()
    assert concept.revisions.order_by("-number").first().state == Revision.State.DRAFT
    assert (
        check_searches()
        == "1 search waits for a draft that is not published yet. All 0 searches find what they should."
    )


def test_a_name_that_would_link_badly_is_doubted_once(publisher):
    concept = published_concept("Ceasefire")
    published_concept("White flag")
    query = searched("white flag")
    posted = {"deed": "name", "other": "Ceasefire", "name": "white flag", "language": "en"}
    doubted = publisher.post(mend_address(query), posted)
    assert "“white flag” already names the concept White flag." in words_of(doubted)
    assert not concept.labels.filter(text="white flag").exists()
    (doubt,) = [
        part.partition('value="')[2].partition('"')[0] for part in doubted.text.split("<input") if "doubted" in part
    ]
    publisher.post(mend_address(query), {**posted, "doubted": html.unescape(doubt)})
    assert concept.labels.filter(text="white flag").exists()


def test_a_name_that_the_page_has_is_refused_with_the_way_out(publisher):
    published_concept("Ceasefire", "white flag")
    posted = {"deed": "name", "other": "Ceasefire", "name": "white flag", "language": "en"}
    told = words_of(publisher.post(mend_address(searched("white flag")), posted))
    assert "“Ceasefire” has this name already. Show the page first instead." in told


def test_a_page_that_cannot_be_told_is_asked_for_again(publisher):
    published_concept("Ceasefire", slug="one")
    published_concept("Ceasefire", slug="two")
    draft_article(title="Secret")
    query = searched("white flag")
    posted = {"deed": "chosen", "name": "white flag", "language": "en"}
    assert "/concepts/one/, /concepts/two/" in words_of(
        publisher.post(mend_address(query), {**posted, "other": "ceasefire"})
    )
    assert "No public page has this title" in words_of(
        publisher.post(mend_address(query), {**posted, "other": "Secret"})
    )
    assert "Choose the page that readers should find." in words_of(publisher.post(mend_address(query), posted))


# --- a stub ---------------------------------------------------------------------------------------------------------


def test_a_stub_is_a_draft_that_is_opened_in_its_form(editor, client):
    posted = {"deed": "stub", "name": "white flag", "language": "en"}
    response = editor.post(mend_address(searched("white flag")), posted, follow=True)
    stub = Concept.objects.get()
    assert response.redirect_chain[-1][0] == f"/admin/peacekb/concept/{stub.pk}/change/"
    assert (stub.title, stub.slug, stub.status) == ("White flag", "white-flag", Status.DRAFT)
    assert stub.revisions.get().editor_name == "hala"
    assert client.get("/concepts/white-flag/").status_code == 404
    assert (SearchCheck.objects.get().page_id, SearchCheck.objects.get().how) == (stub.pk, How.STUB)
    again = all_words_of(editor.post(mend_address(searched("White-Flag")), posted, follow=True))
    assert "There is a concept with this address already: White flag" in again
    assert Concept.objects.count() == 1


# --- a chosen result ------------------------------------------------------------------------------------------------


def test_editors_choose_what_readers_see_first(editor, client):
    page = published_article(title="The long talks", source="About patience.")
    query = searched("slow diplomacy")
    before = Edition.objects.get().number
    editor.post(
        mend_address(query), {"deed": "chosen", "other": page.get_absolute_url(), "language": "en", "name": "x"}
    )
    assert Edition.objects.get().number > before
    for address in ("/search/?q=slow+diplomacy", "/search/?q=Slow+diplomacies"):
        assert "Editors suggest: The long talks" in all_words_of(client.get(address))
    for address in ("/search/?q=slow", "/search/?q=diplomacy+slow", "/search/?q=slow+diplomacy&kind=article"):
        assert "Editors suggest" not in client.get(address).text, address
    publishing.withdraw(page)
    assert "Editors suggest" not in client.get("/search/?q=slow+diplomacy").text


def test_a_chosen_result_is_taken_back(editor, client):
    asked.mend(searched("slow diplomacy"), published_article(title="The long talks"), How.CHOSEN)
    before = Edition.objects.get().number
    editor.post(f"{DESK}{SearchCheck.objects.get().pk}/forget/")
    assert Edition.objects.get().number > before
    assert "Editors suggest" not in client.get("/search/?q=slow+diplomacy").text
    assert "Waiting (1) Mended (0)" in words_of(editor.get(DESK))


@database
def test_another_mending_takes_the_place_of_the_first():
    query = searched("slow diplomacy")
    asked.mend(query, published_article(title="The long talks"), How.CHOSEN)
    before = Edition.objects.get().number
    asked.mend(query, published_concept("Patience"), How.NAME)
    assert SearchCheck.objects.get().how == How.NAME
    assert Edition.objects.get().number > before + 1
    assert asked.chosen(query.words) is None


# --- the checks -----------------------------------------------------------------------------------------------------


def check_searches():
    out = io.StringIO()
    call_command("check_searches", stdout=out)
    return " ".join(out.getvalue().split())


@database
def test_searches_that_find_what_they_should_are_counted():
    ceasefire = published_concept("Ceasefire", "white flag")
    talks = published_article(title="The long talks", source="About patience.")
    asked.mend(searched("white flags"), ceasefire, How.NAME)
    asked.mend(searched("slow diplomacy"), talks, How.CHOSEN)
    assert check_searches() == "All 2 searches find what they should."


@database
def test_a_search_that_does_not_find_its_page_first_fails_with_what_it_finds(capsys):
    ceasefire = published_concept("Ceasefire", source="An end to fighting.")
    for number in range(4):
        published_article(title=f"White flag {number}", slug=f"flag-{number}", source="A white flag, a white flag.")
    gone = published_concept("Truce", "tabula")
    asked.mend(searched("white flag"), ceasefire, How.NAME)
    asked.mend(searched("tabula"), gone, How.NAME)
    publishing.withdraw(gone)
    with pytest.raises(CommandError, match="2 of 2 searches do not find"):
        call_command("check_searches")
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "“tabula” should find /concepts/truce/ (another name), which is not public; it finds nothing"
    assert told[1].startswith("“white flag” should find /concepts/ceasefire/ (another name); it finds /articles/flag-")
    assert told[1].count("/articles/") == 3


@database
def test_a_stub_waits_until_it_is_published():
    stub = Concept.objects.create(title="White flag", slug="white-flag", source="A sign of truce.")
    publishing.save_draft(stub)
    asked.mend(searched("white flag"), stub, How.STUB)
    assert check_searches().startswith("1 search waits for a draft")
    publishing.publish(Page.objects.get(pk=stub.pk))
    assert check_searches() == "All 1 searches find what they should."
