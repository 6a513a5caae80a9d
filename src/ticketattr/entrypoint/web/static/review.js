// Keys for the review. Without this script, every choice is a button all the same.
"use strict";

const tickets = [...document.querySelectorAll(".ticket")];

function current() {
  return Math.max(0, tickets.indexOf(document.activeElement.closest(".ticket")));
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches("input, select, textarea")) return;
  const step = { j: 1, k: -1 }[event.key];
  if (step) {
    const inside = document.activeElement.closest(".ticket");
    const next = tickets[inside ? current() + step : 0];
    if (next) next.focus();
  } else if (/^[1-9]$/.test(event.key) && document.activeElement.closest(".ticket")) {
    const button = tickets[current()].querySelectorAll("button[name=entry]")[Number(event.key) - 1];
    if (button) button.click();
  }
});
