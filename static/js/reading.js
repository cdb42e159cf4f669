/* What a script adds to reading: previews of links, contents that follow, copying with a citation, and keys.
   The page is whole without it. Markup and words stand in the template `on.reading`, in the language of the page. */

const template = document.getElementById("on.reading");
const parts = template.content;
const words = template.dataset;
const display = document.documentElement.dataset; // what the reader chose under "Display"

if (display.previews !== "off") showPreviews();
if (display.keys !== "off") listenToKeys();
if (navigator.clipboard) offerCopies();
followInContents();
// Suggestions come when somebody is about to type: a first view of a text takes no more requests than it must.
addEventListener("focusin", ({ target }) => target.matches("form[role=search] input") && import(words.completing));

function showPreviews() {
  const REST = 150; // milliseconds that a pointer rests on a link before its preview is fetched
  const SHOW = 400; // and before it is shown
  const STAY = 300; // and for which it stays when the pointer has left
  const ENTRY = /^(?:\/[a-z]{2})?\/(article|concept|role|task)s\/([^/]+)\/$/;
  const box = parts.querySelector(".peek");
  const text = box.querySelector(".peek-text");
  const isSparing = navigator.connection?.saveData === true;
  const fetched = new Map();
  let wanted = null; // the link whose preview is under way
  let shown = null; // the link whose preview is open
  let refused = null; // the link at which Escape was pressed, until pointer or focus leave it
  let request = new AbortController();
  let leaving = 0;
  let pointer = "";
  document.querySelector("main").append(box);

  function linkAt(target) {
    const link = target.closest?.("main .essay a, main a.concept");
    const isEntry = link && link.origin === location.origin && ENTRY.test(link.pathname);
    return isEntry && link.pathname !== location.pathname ? link : null;
  }

  async function fragment(link, signal) {
    const [, kind, slug] = ENTRY.exec(link.pathname);
    const address = words.preview.replace("concept", kind).replace("slug", slug);
    if (!fetched.has(address)) {
      try {
        const answer = await fetch(address, { signal });
        if (!answer.ok) return "";
        fetched.set(address, await answer.text());
      } catch {
        return ""; // no line, or no longer wanted
      }
    }
    return fetched.get(address);
  }

  async function want(link, height) {
    if ([wanted, shown, refused].includes(link) || isSparing) return;
    forget();
    wanted = link;
    const { signal } = request;
    const due = pause(SHOW);
    await pause(REST);
    if (signal.aborted) return;
    const html = await fragment(link, signal);
    await due;
    if (signal.aborted || !link.isConnected) return;
    wanted = null;
    open(link);
    fill(link, html);
    place(link, height);
  }

  async function openSheet(link) {
    forget();
    const { signal } = request;
    open(link, true);
    text.replaceChildren(sentence(words.waiting, link));
    const html = await fragment(link, signal);
    if (signal.aborted) return;
    fill(link, html);
    // A second tap follows the link, so it stays in sight.
    const covered = link.getBoundingClientRect().bottom - box.getBoundingClientRect().top;
    if (covered > 0) scrollBy(0, covered + 16);
  }

  function open(link, isSheet = false) {
    close();
    shown = link;
    // Only a sheet is read out: it appears away from the link. A description is, too, at the link itself.
    box.setAttribute("aria-live", isSheet ? "polite" : "off");
    box.classList.toggle("is-sheet", isSheet);
    box.removeAttribute("style");
    box.hidden = false;
    link.setAttribute("aria-describedby", text.id);
  }

  function fill(link, html) {
    if (html) text.innerHTML = html;
    else text.replaceChildren(sentence(words.failed, link));
  }

  function sentence(said, link) {
    const line = document.createElement("p");
    const way = document.createElement("a");
    way.href = link.href;
    way.textContent = words.open;
    line.append(`${said} · `, way);
    return line;
  }

  // At the start of the link, or of its line that the pointer is on; below it, or above where there is more room.
  function place(link, height) {
    const lines = [...link.getClientRects()];
    const line = lines.find(({ top, bottom }) => top <= height && height <= bottom) ?? lines[0];
    const { clientWidth, clientHeight } = document.documentElement;
    const space = 8;
    const start = getComputedStyle(link).direction === "rtl" ? line.right - box.offsetWidth : line.left;
    const x = Math.max(space, Math.min(start, clientWidth - box.offsetWidth - space));
    const above = line.top - box.offsetHeight;
    const y = line.bottom + box.offsetHeight > clientHeight && above >= 0 ? above : line.bottom;
    box.style.left = `${x + scrollX}px`;
    box.style.top = `${y + scrollY}px`;
  }

  function forget() {
    request.abort();
    request = new AbortController();
    wanted = null;
  }

  function close() {
    shown?.removeAttribute("aria-describedby");
    shown = null;
    box.hidden = true;
  }

  function leave(link) {
    if (link && link === wanted) forget();
    if (link === refused) refused = null;
    clearTimeout(leaving);
    leaving = setTimeout(() => {
      const isHeld = shown?.matches(":hover, :focus-visible") || box.matches(":hover, :focus-within, .is-sheet");
      if (!isHeld) close();
    }, STAY);
  }

  document.addEventListener("pointerover", ({ target, pointerType, clientY }) => {
    const link = pointerType !== "touch" && linkAt(target);
    if (link) want(link, clientY);
  });
  document.addEventListener("pointerout", ({ target, relatedTarget }) => {
    const part = linkAt(target) ?? target.closest?.(".peek");
    if (part && !part.contains(relatedTarget)) leave(part);
  });
  document.addEventListener("focusin", ({ target }) => {
    const link = target.matches(":focus-visible") && linkAt(target);
    if (link) want(link);
  });
  document.addEventListener("focusout", ({ target }) => {
    const part = linkAt(target) ?? target.closest(".peek");
    if (part) leave(part);
  });
  document.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape" || !(wanted ?? shown)) return;
    refused = [wanted, shown].find((link) => link?.matches(":hover, :focus")) ?? null;
    forget();
    close();
  });
  document.addEventListener("pointerdown", ({ target, pointerType }) => {
    pointer = pointerType;
    const isElsewhere = linkAt(target) !== shown && !box.contains(target);
    if (box.classList.contains("is-sheet") && isElsewhere) {
      forget();
      close();
    }
  });
  // A finger has no hover: its first tap shows the preview, its second one follows. A click without `detail` is a key's.
  document.addEventListener("click", (event) => {
    const link = pointer === "touch" && event.detail > 0 && linkAt(event.target);
    if (!link || link === shown) return;
    event.preventDefault();
    openSheet(link);
  });
  box.querySelector("button").addEventListener("click", () => {
    forget();
    close();
  });
  // A page that comes back from the browser's memory comes back without a preview.
  addEventListener("pagehide", close);
}

function followInContents() {
  const links = new Map(); // from a section to what leads there, in either list of contents
  let current = [];
  for (const link of document.querySelectorAll(".contents a")) {
    const section = document.getElementById(decodeURIComponent(link.hash.slice(1)))?.closest("section");
    if (section) links.set(section, [...(links.get(section) ?? []), link]);
  }
  // What crosses a line in the upper part of the window is being read; between two sections it is still the last one.
  const observer = new IntersectionObserver(
    (seen) => {
      const section = seen.findLast(({ isIntersecting }) => isIntersecting)?.target;
      if (!section) return;
      current.forEach((link) => link.removeAttribute("aria-current"));
      current = links.get(section);
      current.forEach((link) => {
        link.setAttribute("aria-current", "location");
        bringIntoList(link);
      });
    },
    { rootMargin: "-25% 0px -75% 0px" },
  );
  for (const section of links.keys()) observer.observe(section);

  function bringIntoList(link) {
    const list = link.closest(".contents-wide")?.getBoundingClientRect();
    const { top, bottom } = link.getBoundingClientRect();
    if (list && (top < list.top || bottom > list.bottom)) {
      link.closest(".contents-wide").scrollTop += top - list.top - list.height / 3;
    }
  }
}

function offerCopies() {
  const tools = parts.querySelector(".copy");
  const said = tools.querySelector("[role=status]");

  function offer({ type, target }) {
    const block = tools.parentElement;
    const hasFocus = block?.querySelector(":focus-visible");
    if (block?.isConnected && !block.contains(target) && !hasFocus) tools.remove();
    const mark = target.closest?.(".essay :is(p, div) > a.pm");
    if (!mark || mark.nextElementSibling === tools || (hasFocus && type === "pointerover")) return;
    said.textContent = "";
    mark.after(tools);
  }

  // The words of a paragraph, without its number and the marks of its notes.
  function wordsOf(block) {
    const copy = block.cloneNode(true);
    copy.querySelectorAll(".pm, .copy, .footnote-ref, .evidence-mark").forEach((extra) => extra.remove());
    return copy.textContent.replace(/\s+/g, " ").trim();
  }

  tools.addEventListener("click", async ({ target }) => {
    const button = target.closest("button");
    if (!button) return;
    const { hash } = tools.previousElementSibling;
    const copied =
      button.name === "quote"
        ? `${wordsOf(tools.parentElement)}\n\n${words.citation.replaceAll("{n}", hash.slice(2))}\n`
        : words.address + hash;
    said.textContent = "";
    try {
      await navigator.clipboard.writeText(copied);
      said.textContent = button.dataset.said;
    } catch {
      said.textContent = words.forbidden;
    }
  });
  ["pointerover", "focusin", "click"].forEach((type) => document.addEventListener(type, offer));
}

function listenToKeys() {
  const list = parts.querySelector("dialog");
  const deeds = new Map([
    ["/", search],
    ["n", () => go(1)],
    ["p", () => go(-1)],
    ["?", () => list.showModal()],
  ]);
  document.body.append(list);
  list.querySelector("button").addEventListener("click", () => list.close());

  document.addEventListener("keydown", (event) => {
    const { target, ctrlKey, altKey, metaKey, shiftKey, isComposing } = event;
    if (ctrlKey || altKey || metaKey || isComposing || list.open) return;
    if (target.closest("input, textarea, select, [contenteditable]")) return;
    const sign = signOf(event);
    const isSign = sign === "/" || sign === "?"; // which some layouts have behind Shift
    if (!deeds.has(sign) || (shiftKey && !isSign)) return;
    event.preventDefault();
    deeds.get(sign)();
  });

  // What the key says; on a keyboard of another script, what a Latin one says at that place.
  function signOf({ key, code, shiftKey }) {
    if (key < "\u0250") return key.toLowerCase();
    if (code === "Slash") return shiftKey ? "?" : "/";
    return code.replace("Key", "").toLowerCase();
  }

  function search() {
    const fields = [...document.querySelectorAll("form[role=search] input[name=q]")];
    const isVisible = (field) => field.offsetParent && field.closest("details")?.open !== false;
    const field = fields.find(isVisible) ?? fields.at(-1);
    if (!field) return;
    const menu = field.closest("details");
    if (menu) menu.open = true;
    field.focus();
  }

  function go(step) {
    const headings = [...document.querySelectorAll("main h1, .essay :is(h2, h3, h4, h5, h6)")];
    const topOf = (heading) => heading.getBoundingClientRect().top;
    const at = headings.findIndex((heading) => heading === document.activeElement);
    const isInView = at >= 0 && topOf(headings[at]) >= 0 && topOf(headings[at]) < innerHeight;
    // A heading that was gone to stands some pixels below the edge of the window.
    const next = () => headings.find((heading, place) => place > 0 && topOf(heading) > 40);
    const previous = () => headings.findLast((heading) => topOf(heading) < 20);
    const heading = isInView ? headings[at + step] : step > 0 ? next() : previous();
    if (!heading) {
      document.querySelector(step > 0 ? "main a[rel=next]" : "main a[rel=prev]")?.click();
      return;
    }
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
    heading.scrollIntoView();
  }
}

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
