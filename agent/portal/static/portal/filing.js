// Keeps the form while somebody types, and shows what the checks find beside the fields. Without it the buttons do both.
"use strict";
(() => {
  const form = document.querySelector("form.filing");
  const saying = form.querySelector(".saying");
  const lock = form.elements.lock;
  const PAUSE = 700; // milliseconds without a key before it is sent
  const MOST = 180; // rows: as many as are kept
  let timer = null;
  let sending = false;
  let again = false;
  let stopped = false;
  let touched = new Set();

  const say = (text, alert) => {
    saying.textContent = text;
    saying.classList.toggle("alert", Boolean(alert));
  };

  const show = (findings) => {
    for (const place of form.querySelectorAll("[data-field]")) {
      const name = place.dataset.field;
      // whoever has not been at a field yet is not told that it is empty
      const mine = findings.filter((each) => each.field === name &&
        (touched.has(name) || !["F_MISSING", "F_TIMETABLE_MISSING"].includes(each.code)));
      const list = place.querySelector(".found");
      const lines = mine.map((each) => `${each.sentence} ${each.fix}`);
      if (lines.join("\n") === list.dataset.said) continue; // nothing is read out twice
      list.dataset.said = lines.join("\n");
      list.replaceChildren(...mine.map((each) => {
        const item = document.createElement("li");
        item.dataset.code = each.code;
        item.classList.toggle("stop", each.level === "stop");
        const mend = document.createElement("span");
        mend.className = "mend";
        mend.textContent = each.fix;
        item.append(`${each.sentence} `, mend);
        return item;
      }));
      for (const input of place.querySelectorAll("input, select, textarea")) {
        input.toggleAttribute("aria-invalid", mine.some((each) => each.level === "stop"));
      }
    }
  };

  const send = async () => {
    if (sending) {
      again = true;
      return;
    }
    sending = true;
    say(form.dataset.saving);
    try {
      const answer = await fetch(form.dataset.draft, {
        method: "POST", body: new URLSearchParams(new FormData(form)), credentials: "same-origin", redirect: "error",
      });
      const said = await answer.json();
      show(said.findings);
      if (answer.ok) {
        lock.value = said.lock;
        const stops = said.findings.filter((each) => each.level === "stop").length;
        say(`${form.dataset.saved} ${said.at} · ${stops ? `${form.dataset.left} ${stops}` : form.dataset.fine}`);
      } else {
        stopped = true; // the buttons do the rest: they show both sides
        say(said.code === "E_DRAFT_STALE" ? form.dataset.stale : form.dataset.refused, true);
      }
    } catch {
      say(form.dataset.failed, true);
    }
    sending = false;
    if (again && !stopped) {
      again = false;
      send();
    }
  };

  const soon = () => {
    if (stopped) return;
    clearTimeout(timer);
    timer = setTimeout(send, PAUSE);
  };

  form.addEventListener("input", (event) => {
    const place = event.target.closest("[data-field]");
    if (!place) return; // the reason of a change is no part of the form
    touched.add(place.dataset.field);
    soon();
  });
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    stopped = true; // what is pressed saves by itself
  });
  form.querySelector(".more-rows").addEventListener("click", (event) => {
    event.preventDefault();
    const body = form.querySelector(".lessons tbody");
    const last = body.rows[body.rows.length - 1];
    const first = body.rows.length;
    for (let n = 0; n < 5 && body.rows.length < MOST; n += 1) {
      const row = last.cloneNode(true);
      for (const input of row.querySelectorAll("input")) input.value = "";
      body.append(row);
    }
    body.rows[Math.min(first, MOST - 1)].querySelector("input").focus();
  });
  // rows pasted from a spreadsheet fill the rows from there on
  form.querySelector(".lessons").addEventListener("paste", (event) => {
    const text = event.clipboardData.getData("text/plain").trimEnd();
    if (!/[\t\n]/.test(text)) return;
    event.preventDefault();
    const body = form.querySelector(".lessons tbody");
    const inputs = () => [...body.querySelectorAll("input")];
    const start = inputs().indexOf(event.target);
    text.split("\n").forEach((line, down) => {
      line.replace("\r", "").split("\t").forEach((cell, along) => {
        const at = start + down * 4 + along;
        if (along > 3 || at >= MOST * 4) return;
        if (at >= inputs().length) {
          body.append(body.rows[0].cloneNode(true));
          for (const input of body.rows[body.rows.length - 1].querySelectorAll("input")) input.value = "";
        }
        inputs()[at].value = cell.trim();
      });
    });
    touched.add("timetable");
    soon();
  });
})();
