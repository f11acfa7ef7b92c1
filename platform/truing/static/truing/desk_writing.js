// Where people write: a preview and a word diff that follow the typing, how long a text is, and
// turns that are added one by one; and the verdict on what somebody else wrote.
(() => {
  const PREVIEW_AFTER_MILLISECONDS = 350;
  const DIFF_AFTER_MILLISECONDS = 90;

  const { types } = window.truing.desk;
  let asked = null; // the preview that is on its way
  const timers = {};

  const later = (name, milliseconds, act) => {
    clearTimeout(timers[name]);
    timers[name] = setTimeout(act, milliseconds);
  };

  // --- how long it is, as the server counts: characters, white space at the ends left out
  const length = (text) => {
    let number = 0;
    for (const _ of text.trim()) number += 1;
    return number;
  };
  const count = (form) => {
    form.querySelectorAll("[data-count]").forEach((place) => {
      const { count: name, least, most } = place.dataset;
      const number = length(form.elements[name].value);
      const isOdd = number > Number(most) || (number > 0 && number < Number(least));
      const { t } = window.truing;
      const [now, from, to] = [number, least, most].map((one) => Number(one).toLocaleString());
      place.textContent =
        Number(least) > 1
          ? t("{0} characters, {1} to {2} are wanted", now, from, to)
          : t("{0} of {1} characters", now, to);
      place.classList.toggle("text-error", isOdd);
    });
  };

  // --- preview: rendered by the server, as everybody will see it
  const preview = async (form) => {
    const place = form.querySelector("[data-preview]");
    if (!place || place.closest("[hidden]")) return;
    const text = form.elements.text.value;
    asked?.abort();
    asked = new AbortController();
    if (!text.trim()) {
      place.replaceChildren();
      return;
    }
    const body = new FormData();
    body.set("text", text);
    try {
      const answer = await fetch(form.querySelector("[data-preview-url]").dataset.previewUrl, {
        method: "POST",
        body,
        redirect: "manual",
        signal: asked.signal,
        headers: JSON.parse(document.body.getAttribute("hx-headers")),
      });
      if (answer.ok) place.innerHTML = await answer.text();
    } catch {
      // The next one will do; what was typed is in the field.
    }
  };

  // --- edit: what changes, beside it
  const compare = (form) => {
    const place = form.querySelector("[data-changes]");
    if (!place || place.closest("[hidden]")) return;
    const before = form.querySelector("[data-original]").value;
    const isChanged = window.truing.diff.show(place, before, form.elements.text.value);
    form.querySelector("[data-unchanged]").hidden = isChanged;
  };

  const views = (form) => [...form.querySelectorAll("[data-view]")];
  const look = (form, name) => {
    views(form).forEach((button) => {
      const isIt = button.dataset.view === name;
      button.setAttribute("aria-pressed", String(isIt));
      form.querySelector(`#view-${button.dataset.view}`).hidden = !isIt;
    });
    compare(form);
    preview(form);
    return true;
  };

  const write = (form) => {
    const field = [...form.querySelectorAll("textarea[data-turn], textarea#text")].findLast(
      (one) => !one.closest("[hidden]"),
    );
    field?.focus();
    field?.setSelectionRange(field.value.length, field.value.length);
    return Boolean(field);
  };

  const text = {
    start(form) {
      count(form);
      compare(form);
      form.addEventListener("input", (event) => {
        if (event.target.name !== "text") return;
        count(form);
        later("diff", DIFF_AFTER_MILLISECONDS, () => compare(form));
        later("preview", PREVIEW_AFTER_MILLISECONDS, () => preview(form));
      });
      form.addEventListener("click", (event) => {
        const button = event.target.closest("[data-view]");
        if (button) look(form, button.dataset.view);
      });
    },
    key(event, form) {
      if (event.key === "w") return write(form);
      if (event.key === "v") {
        const other = views(form).find((button) => button.getAttribute("aria-pressed") === "false");
        return other ? look(form, other.dataset.view) : false;
      }
      return false;
    },
  };
  types.demonstration = text;
  types.edit = text;

  // --- prompts, of one turn or several
  const pairs = (form) => [...form.querySelectorAll("[data-pair]")];
  const showTurns = (form) => {
    const next = pairs(form).find((pair) => pair.hidden);
    const more = form.querySelector("[data-more-turns]");
    if (more) more.hidden = !next;
  };
  const moreTurns = (form) => {
    const next = pairs(form).find((pair) => pair.hidden);
    if (!next) return false;
    next.hidden = false;
    next.querySelector("textarea").focus();
    showTurns(form);
    return true;
  };
  types.prompt_writing = {
    start(form) {
      pairs(form).forEach((pair) => {
        pair.hidden = ![...pair.querySelectorAll("textarea")].some((one) => one.value.trim());
      });
      showTurns(form);
      count(form);
      form.addEventListener("input", () => count(form));
      form.addEventListener("click", (event) => {
        if (event.target.closest("[data-more-turns]")) moreTurns(form);
      });
    },
    key(event, form) {
      if (event.key === "w") return write(form);
      if (event.key === "a") return moreTurns(form);
      return false;
    },
  };

  // --- validate
  const verdicts = (form) => [...form.querySelectorAll("input[name=verdict]")];
  const decide = (radio) => {
    if (!radio) return false;
    radio.checked = true;
    radio.dispatchEvent(new Event("input", { bubbles: true }));
    return true;
  };
  types.validate = {
    verdict: (form) => form.querySelector("input[name=verdict]:checked")?.closest("label").title || "",
    // Enter without a reason that is wanted goes to where it is written.
    before(form) {
      const chosen = form.querySelector("input[name=verdict]:checked");
      if (!chosen?.dataset.reason || form.elements.reason.value.trim()) return true;
      form.elements.reason.focus();
      return false;
    },
    key(event, form) {
      const all = verdicts(form);
      const now = all.findIndex((radio) => radio.checked);
      if (/^[1-3]$/.test(event.key)) return decide(all[Number(event.key) - 1]);
      if (event.key === "ArrowLeft") return decide(all[Math.max(0, now - 1)]);
      if (event.key === "ArrowRight") return decide(all[Math.min(all.length - 1, now + 1)]);
      return false;
    },
  };
})();
