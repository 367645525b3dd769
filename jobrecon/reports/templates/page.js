"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const NAMES = ["q", "customer", "kind", "list", "age"];
  const SEVERITIES = ["HIGH", "MEDIUM", "LOW"];
  const form = $("filters");
  const fields = NAMES.map((name) => $(`f-${name}`));
  const cards = [...document.querySelectorAll("article.cause")];
  const rows = cards.flatMap((card) => [...card.querySelectorAll("tr[data-a]")].map((row) => ({ row, card, home: row.parentElement })));
  const heads = new Map(cards.map((card) => [card, [...card.querySelectorAll(".tag, h3, .do, .how")].map((part) => part.textContent).join(" ").toLowerCase()]));
  for (const each of rows) each.text = `${each.row.textContent} ${each.row.id}`.toLowerCase() + " " + heads.get(each.card);
  const opened = new Set();
  const original = new Map([...document.querySelectorAll(".n")].map((part) => [part, part.textContent]));
  const usual = document.body.dataset.view || "cause";
  let view = usual;

  const countNumber = (shown) => new Set(shown.map(({ row }) => row.dataset.j)).size.toLocaleString("en");
  const countJobs = (shown) => {
    const count = countNumber(shown);
    return `${count} job${count === "1" ? "" : "s"}`;
  };
  const isNarrow = matchMedia("(max-width: 40rem)").matches;
  const make = (tag, text, name) => {
    const element = document.createElement(tag);
    if (text) element.textContent = text;
    if (name) element.className = name;
    return element;
  };

  function readFilters() {
    const [q, customer, kind, list, age] = fields.map((field) => field.value.trim());
    const words = q.toLowerCase().split(/\s+/).filter(Boolean);
    const isOn = Boolean(q || customer || kind || list || age);
    return { isOn, fits: ({ row, card, text }) =>
      (!kind || card.dataset.kind === kind) && (!list || card.dataset.list === list)
      && (!customer || row.dataset.c === customer) && (!age || (age === "new" ? "n" in row.dataset : row.dataset.a === age)) && words.every((word) => text.includes(word)) };
  }

  function apply() {
    const { isOn, fits } = readFilters();
    const shown = [];
    for (const each of rows) {
      const isShown = fits(each);
      each.row.hidden = !isShown;
      if (each.row.nextElementSibling?.className === "timeline") each.row.nextElementSibling.hidden = !isShown;
      if (isShown) shown.push(each);
    }
    if (view === "customer") showCustomers(shown, isOn); else showCauses(shown, isOn);
    $("shown").textContent = isOn ? `${countNumber(shown)} of ${countJobs(rows)} shown` : "";
    $("clear").hidden = !isOn;
    $("nothing").hidden = shown.length > 0;
    return isOn;
  }

  function showCauses(shown, isOn) {
    $("by-customer").replaceChildren();
    $("by-customer").hidden = true;
    for (const { row, home } of rows) {
      const timeline = row.nextElementSibling?.className === "timeline" ? row.nextElementSibling : null;
      home.append(row, ...(timeline ? [timeline] : []));
    }
    for (const card of cards) {
      const own = shown.filter((each) => each.card === card);
      card.hidden = !own.length;
      for (const number of card.querySelectorAll("h3 .n")) number.textContent = isOn ? countJobs(own) : original.get(number);
      for (const box of card.querySelectorAll("details")) {
        if (isOn && !box.open && box.matches(".rows, .more")) { box.open = true; opened.add(box); }
        if (!isOn && opened.delete(box)) box.open = false;
      }
    }
    for (const section of document.querySelectorAll("section[data-queue]")) {
      const own = shown.filter(({ card }) => section.contains(card));
      section.hidden = isOn && !own.length;
      const number = section.querySelector("h2 .n");
      if (number) number.textContent = isOn ? countJobs(own) : original.get(number);
      const also = section.querySelector("h2 .also");
      if (also) also.hidden = isOn;
    }
  }

  function moveRows(own) {
    const table = make("table", "", "jobs");
    table.append(own[0].home.parentElement.tHead.cloneNode(true), make("tbody"));
    for (const { row } of own) {
      const timeline = row.nextElementSibling?.className === "timeline" ? row.nextElementSibling : null;
      table.tBodies[0].append(row, ...(timeline ? [timeline] : []));
    }
    return table;
  }

  function showCustomers(shown, isOn) {
    const customers = new Map();
    for (const each of shown) {
      const name = each.row.cells[1].firstChild?.textContent.trim() || "(no customer)";
      if (!customers.has(name)) customers.set(name, new Map());
      const causes = customers.get(name);
      causes.set(each.card, [...(causes.get(each.card) || []), each]);
    }
    const due = (causes) => [...causes].filter(([card]) => card.dataset.request).flatMap(([, own]) => own);
    const ranked = [...customers].sort((a, b) => due(b[1]).length - due(a[1]).length || a[0].localeCompare(b[0]));
    const sections = ranked.map(([name, causes]) => {
      const section = make("section", "", "customer");
      const today = due(causes);
      const all = `${countJobs([...causes.values()].flat())} ${isOn ? "shown" : "with something wrong"}`;
      section.append(make("h2", name));
      const bar = make("p", `${today.length ? countNumber(today) : "None"} of ${all} to ask about today`, "lead");
      if (today.length) {
        bar.append(make("span", ", in one message to paste into a mail: ", "copying"));
        const button = make("button", `Copy the message to ${name}`);
        button.type = "button";
        button.addEventListener("click", () => copy(button, name, causes));
        bar.append(button);
      }
      section.append(bar);
      const others = make("details", "", "others");
      const waiting = [...causes].filter(([card]) => !card.dataset.request).flatMap(([, own]) => own);
      others.open = !today.length && customers.size === 1;
      others.append(make("summary", `${countJobs(waiting)} not to ask about today: with your integration team, with LinkedIn, or of low priority`));
      const rank = ([card]) => SEVERITIES.findIndex((name) => card.classList.contains(name));
      for (const [card, own] of [...causes].sort((a, b) => rank(a) - rank(b) || b[1].length - a[1].length)) {
        const part = make("article", "", card.className);
        part.append(...[...card.children].filter((child) => !child.matches(".rows")).map((child) => child.cloneNode(true)));
        for (const number of part.querySelectorAll("h3 .n")) number.textContent = countJobs(own);
        const box = make("details", "", "rows");
        box.open = isOn || !isNarrow;
        box.append(make("summary", countJobs(own)), moveRows(own.slice(0, 5)));
        if (own.length > 5) {
          const more = make("details", "", "more");
          more.open = isOn;
          more.append(make("summary", `${own.length - 5} more`), moveRows(own.slice(5)));
          box.append(more);
        }
        part.append(box);
        (card.dataset.request ? section : others).append(part);
      }
      if (waiting.length) section.append(others);
      return section;
    });
    const lead = document.querySelector("#today .lead");
    const asks = lead && ranked.some(([, causes]) => due(causes).length);
    $("by-customer").replaceChildren(...(asks ? [lead.cloneNode(true)] : []), ...sections);
    $("by-customer").hidden = false;
    for (const section of document.querySelectorAll("section[data-queue]")) section.hidden = true;
  }

  function writeWords(name, causes) {
    const lines = [`${name}: jobs on LinkedIn that need you`, ""];
    for (const [card, own] of causes) {
      if (!card.dataset.request) continue;
      lines.push(card.dataset.reason, card.dataset.request);
      for (const { row } of own) {
        const cell = row.cells[0];
        const id = cell.querySelector("code")?.textContent;
        const place = cell.querySelector(".place")?.textContent;
        const link = row.querySelector("a[href^=http]")?.href;
        lines.push(`- ${cell.querySelector("b").textContent}${id ? ` (${id})` : ""}${place ? `, ${place}` : ""}${link ? `: ${link}` : ""}`);
      }
      lines.push("");
    }
    return lines.join("\n");
  }

  async function copy(button, name, causes) {
    // Shown too: to be read before it is sent.
    let box = button.parentElement.nextElementSibling;
    if (!box.matches("textarea")) { box = make("textarea"); box.readOnly = true; button.parentElement.after(box); }
    box.value = writeWords(name, causes);
    box.setAttribute("aria-label", `Message to ${name}`);
    try {
      await navigator.clipboard.writeText(box.value);
      button.textContent = "Copied";
    } catch {
      // No clipboard for this page, as in files opened from a disk in some browsers: to be copied by hand.
      box.select();
      button.textContent = document.execCommand("copy") ? "Copied" : "Select and copy";
    }
  }

  const optionText = (field) => field.tagName === "SELECT" ? field.selectedOptions[0]?.textContent : field.value;

  function writeAddress() {
    const state = new URLSearchParams();
    if (view !== usual) state.set("view", view);
    fields.forEach((field, index) => { if (field.value.trim()) state.set(NAMES[index], optionText(field)); });
    history.replaceState(null, "", `${state}` ? `#${state}` : location.pathname + location.search);
  }

  function readAddress() {
    const state = new URLSearchParams(location.hash.slice(1));
    if (!["view", ...NAMES].some((name) => state.has(name))) return;
    fields.forEach((field, index) => {
      const wanted = state.get(NAMES[index]) || "";
      if (field.tagName !== "SELECT") field.value = wanted;
      else field.value = [...field.options].find((option) => option.value && option.textContent === wanted)?.value || "";
    });
    choose(["cause", "customer"].find((name) => name === state.get("view")) || usual);
  }

  function choose(name) {
    view = name;
    for (const button of document.querySelectorAll("button[data-view]")) button.setAttribute("aria-pressed", String(button.dataset.view === view));
    apply();
  }

  const packed = JSON.parse($("timelines").textContent);
  const stamp = (minutes) => new Date(minutes * 60000).toLocaleString("en-GB", {
    timeZone: "UTC", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }).replace(",", "");

  function toggle(row, button, open) {
    const shown = row.nextElementSibling?.className === "timeline" ? row.nextElementSibling : null;
    const isOpen = Boolean(shown);
    if (open === isOpen) return;
    button.setAttribute("aria-expanded", String(!isOpen));
    if (shown) { shown.remove(); return; }
    const line = packed.j[row.dataset.j];
    const cell = make("td");
    cell.colSpan = 4;
    const list = make("ol");
    for (let i = 0; i < line.length; i += 2) {
      const item = make("li");
      item.append(make("time", stamp(line[i])), " ", packed.t[line[i + 1]]);
      list.append(item);
    }
    const link = make("a", "Link to this finding");
    link.href = `#${row.id}`;
    cell.append(list, link);
    const next = make("tr", "", "timeline");
    next.append(cell);
    row.after(next);
  }

  for (const row of document.querySelectorAll("tr[data-j]")) {
    if (!packed.j[row.dataset.j]?.length) continue;
    const button = make("button", "Timeline", "toggle");
    button.type = "button";
    button.setAttribute("aria-expanded", "false");
    button.setAttribute("aria-label", `Timeline of ${row.querySelector("b").textContent}`);
    button.addEventListener("click", () => toggle(row, button));
    row.cells[row.cells.length - 1].append(" ", button);
  }

  function follow() {
    let target = null;
    try { target = $(decodeURIComponent(location.hash.slice(1))); } catch { return; }
    if (target?.matches("section[data-queue]") && view === "customer") { choose("cause"); target.scrollIntoView(); }
    if (!target || !target.id.startsWith("finding-")) return;
    if (target.hidden) { form.reset(); apply(); }
    for (let box = target.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
    const button = target.querySelector("button.toggle");
    if (button) toggle(target, button, true);
    target.tabIndex = -1;
    target.focus({ preventScroll: true });
    target.scrollIntoView({ block: "center" });
  }

  if (isNarrow) {
    for (const box of [...document.querySelectorAll("article.cause details.rows")].slice(1)) box.open = false;
    for (const box of document.querySelectorAll("details.fold")) box.open = false;
  }

  if (form) {
    form.hidden = false;
    form.addEventListener("input", () => { apply(); writeAddress(); });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(() => { apply(); if (!location.hash.startsWith("#finding-")) writeAddress(); }));
    for (const button of document.querySelectorAll("button[data-view]")) {
      button.addEventListener("click", () => { choose(button.dataset.view); writeAddress(); });
    }
    for (const tile of document.querySelectorAll(".tiles a[data-list]")) {
      tile.addEventListener("click", (event) => {
        event.preventDefault();
        for (const field of fields) field.value = "";
        $("f-list").value = tile.dataset.list;
        $("f-age").value = tile.dataset.age || "";
        apply();
        writeAddress();
        form.scrollIntoView();
      });
    }
    choose(usual);
    readAddress();
  }
  addEventListener("hashchange", () => { if (form) readAddress(); follow(); });
  addEventListener("beforeprint", () => { for (const box of document.querySelectorAll("#today details.more, #today details.rows, #by-customer section > article details")) box.open = true; });
  follow();
})();
