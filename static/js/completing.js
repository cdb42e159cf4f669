/* What a script adds to each search form: suggestions while somebody types, chosen by key, click or touch.
   The combobox of the ARIA Authoring Practices Guide, "list autocomplete with manual selection"; the server writes the list. */

const PAUSE = 150; // milliseconds without a key before the server is asked
const LEAST = 2; // letters

document.querySelectorAll("form[role=search] input[name=q]").forEach(complete);

function complete(field) {
  const { form } = field;
  const address = `${form.action}suggest/`;
  const box = document.createElement("div");
  const said = document.createElement("p");
  let request = new AbortController();
  let active = null; // the option that the arrows have reached; the focus stays in the field
  box.className = "completions";
  said.className = "hidden";
  said.setAttribute("role", "status");
  field.after(box);
  form.append(said);
  field.autocomplete = "off";
  field.setAttribute("role", "combobox");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-expanded", "false");

  async function ask() {
    request.abort();
    request = new AbortController();
    const { signal } = request;
    const text = field.value.trim();
    if ([...text].length < LEAST) return close();
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    if (signal.aborted) return;
    try {
      const answer = await fetch(`${address}?q=${encodeURIComponent(text)}`, { signal });
      const html = answer.ok ? await answer.text() : "";
      if (!signal.aborted) open(html);
    } catch {
      if (!signal.aborted) close(); // no line
    }
  }

  function open(html) {
    close();
    box.innerHTML = html;
    said.textContent = box.querySelector("[data-said]")?.dataset.said ?? "";
    const list = box.querySelector("[role=listbox]");
    if (!list) return;
    field.setAttribute("aria-controls", list.id);
    field.setAttribute("aria-expanded", "true");
  }

  // Only one list is open at a time, so that ids are not there twice.
  function close() {
    reach(null);
    box.replaceChildren();
    said.textContent = "";
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-controls");
  }

  function leave() {
    request.abort();
    close();
  }

  function reach(option) {
    active?.removeAttribute("aria-selected");
    active = option;
    if (!option) return field.removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", option.id);
  }

  // Behind the last option and before the first one is the field.
  function step(by) {
    const stops = [null, ...box.querySelectorAll("[role=option]")];
    if (stops.length === 1) return ask();
    reach(stops.at((stops.indexOf(active) + by) % stops.length));
  }

  const deeds = {
    ArrowDown: ({ altKey }) => (altKey ? box.hasChildNodes() || ask() : step(1)),
    ArrowUp: ({ altKey }) => (altKey ? leave() : step(-1)),
    Enter: () => active?.click(),
    Escape: leave,
  };

  field.addEventListener("keydown", (event) => {
    const { key, ctrlKey, metaKey, shiftKey, isComposing } = event;
    if (isComposing || ctrlKey || metaKey || shiftKey) return;
    const isOpen = box.hasChildNodes();
    if (key === "Home" || key === "End") reach(null); // the browser moves the caret
    // A second Escape empties the field, and Enter without a choice searches: both are the browser's.
    if (!(key in deeds) || (key === "Escape" && !isOpen) || (key === "Enter" && !active)) return;
    event.preventDefault();
    deeds[key](event);
  });
  field.addEventListener("input", ({ isComposing }) => {
    reach(null);
    if (!isComposing) ask();
  });
  field.addEventListener("compositionend", ask);
  field.addEventListener("blur", leave);
  form.addEventListener("submit", leave);
  // The field keeps the focus, so that the list is still there when the button is let go.
  box.addEventListener("mousedown", (event) => event.preventDefault());
  // A page that comes back from the browser's memory comes back without a list.
  addEventListener("pagehide", leave);
  // Where this came only with the focus, something may be typed already.
  if (document.activeElement === field) ask();
}
