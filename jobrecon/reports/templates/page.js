"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const rows = [...document.querySelectorAll("tr[data-a]")];
  const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase() + " " + row.id]));
  const cards = [...document.querySelectorAll("article.cause")];
  const form = $("filters");
  const fields = ["q", "customer", "kind", "owner", "age"].map((name) => $(`f-${name}`));
  const opened = new Set();

  function apply() {
    const [q, customer, kind, owner, age] = fields.map((field) => field.value.trim().toLowerCase());
    const words = q.split(/\s+/).filter(Boolean);
    const isOn = Boolean(q || customer || kind || owner || age);
    let shown = 0;
    for (const card of cards) {
      const mine = (!kind || card.dataset.kind.toLowerCase() === kind) && (!owner || card.dataset.owner.toLowerCase() === owner);
      const head = [...card.querySelectorAll(".tag, h3, .do")].map((part) => part.textContent).join(" ").toLowerCase();
      let left = 0;
      for (const row of card.querySelectorAll("tr[data-a]")) {
        const text = texts.get(row) + " " + head;
        const fits = mine && (!customer || row.dataset.c === customer) && (!age || row.dataset.a === age)
          && words.every((word) => text.includes(word));
        row.hidden = !fits;
        if (row.nextElementSibling?.className === "timeline") row.nextElementSibling.hidden = !fits;
        left += fits;
      }
      card.hidden = !left;
      shown += left;
      for (const more of card.querySelectorAll("details.more")) {
        if (isOn && !more.open) { more.open = true; opened.add(more); }
        if (!isOn && opened.delete(more)) more.open = false;
      }
    }
    for (const section of document.querySelectorAll("section[data-queue]")) {
      section.hidden = isOn && !section.querySelector("article.cause:not([hidden])");
    }
    $("shown").textContent = isOn ? `${shown} of ${rows.length} findings shown` : "";
    $("clear").hidden = !isOn;
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
    const cell = document.createElement("td");
    cell.colSpan = 4;
    const list = document.createElement("ol");
    for (let i = 0; i < line.length; i += 2) {
      const item = document.createElement("li");
      const time = document.createElement("time");
      time.textContent = stamp(line[i]);
      item.append(time, " ", packed.t[line[i + 1]]);
      list.append(item);
    }
    const link = document.createElement("a");
    link.href = `#${row.id}`;
    link.textContent = "Link to this finding";
    cell.append(list, link);
    const next = document.createElement("tr");
    next.className = "timeline";
    next.append(cell);
    row.after(next);
  }

  for (const row of document.querySelectorAll("tr[data-j]")) {
    if (!packed.j[row.dataset.j]?.length) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "toggle";
    button.textContent = "Timeline";
    button.setAttribute("aria-expanded", "false");
    button.setAttribute("aria-label", `Timeline of ${row.querySelector("b").textContent}`);
    button.addEventListener("click", () => toggle(row, button));
    row.cells[row.cells.length - 1].append(" ", button);
  }

  function follow() {
    let target = null;
    try { target = $(decodeURIComponent(location.hash.slice(1))); } catch { return; }
    if (!target || !target.id.startsWith("finding-")) return;
    if (target.hidden) { form.reset(); apply(); }
    for (let box = target.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
    const button = target.querySelector("button.toggle");
    if (button) toggle(target, button, true);
    target.tabIndex = -1;
    target.focus({ preventScroll: true });
    target.scrollIntoView({ block: "center" });
  }

  if (form) {
    form.hidden = false;
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(apply));
    apply();
  }
  addEventListener("hashchange", follow);
  addEventListener("beforeprint", () => { for (const box of document.querySelectorAll("details.more")) box.open = true; });
  follow();
})();
