"use strict";
(() => {
  const STEP = 200;
  const form = document.getElementById("filter");
  const table = document.getElementById("tickets");
  const body = table.tBodies[0];
  const count = document.getElementById("count");
  const more = document.getElementById("more");
  const [search, urgency, category] = ["search", "urgency", "category"].map(id => document.getElementById(id));
  const number = new Intl.NumberFormat(document.documentElement.lang);
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (all, name) => number.format(values[name]));
  const first = Array.from(body.rows);
  let rows = first.slice();
  let limit = STEP;
  let texts = null;

  const key = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.s === undefined ? cell.textContent : cell.dataset.s;
  };
  const textOf = row => {
    texts = texts || new Map();
    if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
    return texts.get(row);
  };
  // A ticket that needs a review may be overdue, too.
  const isUrgent = row =>
    urgency.value === "*" ||
    (row.dataset.u || "") === urgency.value ||
    (urgency.value === "needs review" && row.dataset.r !== undefined);
  const matches = (row, words) =>
    isUrgent(row) &&
    (category.value === "*" || row.cells[5].textContent === category.value) &&
    words.every(word => textOf(row).includes(word));

  function show() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const row of rows) {
      const fits = matches(row, words);
      found += fits;
      row.hidden = !fits || found > limit;
    }
    count.textContent = fill(form.dataset.count, { shown: Math.min(found, limit), all: first.length });
    more.hidden = found <= limit;
    more.textContent = fill(form.dataset.more, { n: Math.min(STEP, found - limit) });
  }

  function sort(header, column) {
    const direction = header.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", direction);
    const collator = new Intl.Collator(document.documentElement.lang, { numeric: true });
    const sign = direction === "ascending" ? 1 : -1;
    const keys = new Map(rows.map(row => [row, key(row, column)]));
    const isEmpty = row => keys.get(row) === "";
    rows.sort((a, b) => isEmpty(a) - isEmpty(b) || sign * collator.compare(keys.get(a), keys.get(b)));
    const sorted = document.createDocumentFragment();
    for (const row of rows) sorted.append(row);
    body.append(sorted);
    show();
  }

  function restart() {
    limit = STEP;
    show();
  }

  for (const name of Array.from(new Set(first.map(row => row.cells[5].textContent))).sort()) {
    if (name) category.add(new Option(name, name));
  }
  Array.from(table.tHead.rows[0].cells).forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = header.textContent;
    button.addEventListener("click", () => sort(header, column));
    header.replaceChildren(button);
  });
  let timer = 0;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(restart, 150);
  });
  urgency.addEventListener("change", restart);
  category.addEventListener("change", restart);
  form.addEventListener("submit", event => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(restart));
  more.addEventListener("click", () => {
    limit += STEP;
    show();
  });
  form.hidden = first.length === 0;
  show();
})();
