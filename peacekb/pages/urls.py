"""The addresses of the public pages (MODEL.md, "Addresses")."""

from django.urls import path, register_converter

from peacekb.models import MODELS

from . import (
    cases,
    citing,
    completions,
    concordance,
    display,
    evidence,
    feeds,
    graph,
    history,
    matrix,
    operations,
    previews,
    sharing,
    sitemaps,
    timeline,
    views,
)


class AsWritten:
    """A part of an address that a view receives as it stands."""

    def to_python(self, value: str) -> str:
        """Give the part unchanged."""
        return value

    def to_url(self, value: str) -> str:
        """Give the part unchanged."""
        return value


class Kinds(AsWritten):
    """The plural of a kind, such as `articles`: the first part of a page's address."""

    regex = "|".join(f"{kind}s" for kind in MODELS)


class Kind:
    """The singular of a kind in the address; the view gets the plural, as all others do."""

    regex = "|".join(MODELS)

    def to_python(self, value: str) -> str:
        """Give the plural."""
        return f"{value}s"

    def to_url(self, value: str) -> str:
        """Give the singular."""
        return value.removesuffix("s")


class Slug(AsWritten):
    """A slug or an anchor in the letters of any script. What holds another character never reaches a database."""

    regex = r"[-\w]{1,120}"


register_converter(Kinds, "kinds")
register_converter(Kind, "kind")
register_converter(Slug, "uslug")

#: What programs read: one address each, in English, whatever language a reader has.
for_programs = [
    path("feed/", feeds.news, name="feed"),
    path("tags/<str:expression>/feed/", feeds.tag, name="tag_feed"),
    path("sitemap.xml", sitemaps.index, name="sitemaps"),
    path("sitemap-<slug:section>.xml", sitemaps.section, name="sitemap"),
    path("robots.txt", sitemaps.robots, name="robots"),
    path("site.webmanifest", sharing.manifest, name="manifest"),
    path("favicon.ico", sharing.favicon, name="favicon"),
    path("healthz/", views.healthz, name="healthz"),
    path("readyz/", views.readyz, name="readyz"),
    path("cases.csv", cases.file, name="cases_file"),
    path("operations.csv", operations.file, name="operations_file"),
    path("explore/matrix.csv", matrix.matrix_file, name="matrix_file"),
    path("<kinds:kinds>/<uslug:slug>/mentions.csv", concordance.mentions_file, name="mentions_file"),
    path("<kinds:kinds>/<uslug:slug>/feed/", feeds.mentions, name="mentions_feed"),
]

app_name = "pages"
urlpatterns = [
    path("", views.home, name="home"),
    path("about/", views.about, name="about"),
    path("display/", display.display, name="display"),
    path("preview/<kind:kinds>/<uslug:slug>/", previews.preview, name="preview"),
    path("phases/<uslug:phase>/", views.phase, name="phase"),
    path("tags/", views.tags, name="tags"),
    path("tags/<str:expression>/", views.tag, name="tag"),
    path("sources/", views.sources, name="sources"),
    path("sources/<uslug:slug>/", views.source, name="source"),
    path("explore/timeline/", timeline.timeline, name="timeline"),
    path("search/", views.search, name="search"),
    path("search/suggest/", completions.complete, name="complete"),
    path("explore/", graph.explore, name="explore"),
    path("explore/matrix/", matrix.matrix, name="matrix"),
    path("explore/matrix/<uslug:slug>/<uslug:phase>/", matrix.cell, name="cell"),
    path("explore/graph/", graph.choose, name="choose"),
    path("explore/graph/<kind:kinds>/<uslug:slug>/", graph.graph, name="graph"),
    path("<kinds:kinds>/", views.index, name="index"),
    path("<kinds:kinds>/<uslug:slug>/", views.entry, name="entry"),
    path("<kinds:kinds>/<uslug:slug>/mentions/", concordance.mentions, name="mentions"),
    path("<kinds:kinds>/<uslug:slug>/history/", history.history, name="history"),
    path("<kinds:kinds>/<uslug:slug>/cite/", citing.cite, name="cite"),
    path("articles/<uslug:slug>/evidence/", evidence.evidence, name="evidence"),
    path("articles/<uslug:slug>/<uslug:anchor>/", views.section, name="section"),
]
