// The desk: keys, the draft, the hold on the question, and the time that it took.
// Task types add what is theirs with `truing.desk.types[name] = { start(form), key(event, form), before(form) }`.
(() => {
  const DRAFT_AFTER_MILLISECONDS = 500;
  const HOLD_EVERY_MILLISECONDS = 60_000;
  // A page that was left open is not somebody who works.
  const IDLE_AFTER_MILLISECONDS = 45 * 60_000;
  const SCROLLS = new Set(["ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End", " "]);

  const { t } = window.truing;
  const types = {};
  const desk = { types };
  window.truing.desk = desk;

  let question = null;
  let form = null;
  let draftTimer = null;
  let lastSeen = Date.now();
  let ticking = Date.now();
  let isSending = false;

  const type = () => types[question?.dataset.type] || {};
  const status = (text) => {
    const place = question?.querySelector("[data-draft-status]");
    if (place) place.textContent = text;
  };

  // --- time: only while the page is looked at
  const tick = () => {
    const now = Date.now();
    const seconds = form?.elements.seconds;
    if (seconds && !document.hidden) {
      seconds.value = (Number(seconds.value) + Math.min(now - ticking, 5000) / 1000).toFixed(2);
    }
    ticking = now;
  };
  setInterval(tick, 1000);

  // --- draft and hold
  const post = (url, body, keepalive = false) =>
    fetch(url, {
      method: "POST",
      body,
      keepalive,
      redirect: "manual", // who is signed out is sent elsewhere, and has saved nothing
      headers: JSON.parse(document.body.getAttribute("hx-headers")),
    });

  const lost = () =>
    window.truing.say(
      t("Your hold on this question ran out, and somebody else has it now. Go on: if a place is still free your answer counts, else it is kept."),
      "warning",
    );

  const saveDraft = async (keepalive = false) => {
    clearTimeout(draftTimer);
    draftTimer = null;
    const url = question?.dataset.draftUrl;
    if (!url || !form || isSending) return;
    if (question.hasAttribute("data-waiting")) return;
    const at = question;
    window.truing.outbox.draftSaving(url);
    tick();
    const data = new FormData(form);
    for (const one of question.querySelectorAll("[data-drafted]")) data.append(one.dataset.drafted, one.value);
    try {
      const answer = await post(url, data, keepalive);
      // Signed out, or the page is too old: the page that comes next sends it.
      const isOut = answer.type === "opaqueredirect" || answer.status === 403;
      if (isOut || answer.status >= 502) throw new Error("away");
      window.truing.outbox.draftSaved(url);
      if (at !== question || isSending) return;
      if (answer.ok) status(t("Draft saved"));
      else if (answer.status === 410) lost();
      else status(t("Draft not saved"));
    } catch {
      if (isSending) return;
      window.truing.outbox.keepDraft(url, data);
      if (at === question) status(t("Draft kept here"));
    }
  };
  desk.saveDraft = saveDraft;

  desk.changed = () => {
    status("");
    clearTimeout(draftTimer);
    draftTimer = setTimeout(saveDraft, DRAFT_AFTER_MILLISECONDS);
    const verdict = question?.querySelector("[data-verdict]");
    if (verdict) verdict.textContent = type().verdict?.(form) || "";
  };

  setInterval(async () => {
    const url = question?.dataset.holdUrl;
    if (!url || Date.now() - lastSeen > IDLE_AFTER_MILLISECONDS) return;
    const at = question;
    try {
      const answer = await post(url, new FormData());
      // What has been answered meanwhile is held no more, and was not lost.
      if (answer.status === 410 && at === question && !isSending) lost();
    } catch {
      // The server may be restarting; the next one will do.
    }
  }, HOLD_EVERY_MILLISECONDS);

  const leave = () => {
    if (document.hidden && draftTimer) saveDraft(true);
  };
  document.addEventListener("visibilitychange", leave);
  window.addEventListener("pagehide", () => draftTimer && saveDraft(true));
  for (const name of ["keydown", "pointerdown", "scroll"]) {
    window.addEventListener(name, () => (lastSeen = Date.now()), { passive: true });
  }

  // --- sensitive content is veiled until a person uncovers it, one question at a time
  let uncovered = "";
  const asked = () => question.dataset.draftUrl || form?.action || "";
  const isVeiled = () => Boolean(question?.hasAttribute("data-veiled"));
  const veil = (isOn) => {
    question.toggleAttribute("data-veiled", isOn);
    for (const part of question.querySelectorAll(".veiled")) part.inert = isOn;
    for (const one of question.querySelectorAll("[data-wants-uncovered]")) one.disabled = isOn;
    const button = question.querySelector("[data-uncover]");
    button.setAttribute("aria-expanded", String(!isOn));
    button.querySelector("[data-when-veiled]").hidden = !isOn;
    button.querySelector("[data-when-shown]").hidden = isOn;
    uncovered = isOn ? "" : asked();
    status(isOn ? t("It is veiled.") : t("It is shown."));
  };
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-uncover]")) return;
    event.preventDefault();
    veil(!isVeiled());
  });

  // --- a long prompt: it opens where something was asked last, and can be shown as a whole
  const isLong = (prompt) => prompt.scrollHeight > prompt.clientHeight + 2;
  const openAtLastTurn = (prompt) => {
    const last = [...prompt.querySelectorAll(".turn:last-child")].at(-1);
    if (last) prompt.scrollTop += last.getBoundingClientRect().top - prompt.getBoundingClientRect().top - 24;
  };
  const turnOver = (prompt) => {
    const whole = prompt.querySelector("[data-whole]");
    if (!whole || (whole.hidden && !isLong(prompt))) return;
    const isWhole = prompt.classList.toggle("is-whole");
    whole.hidden = false;
    whole.setAttribute("aria-expanded", String(isWhole));
    whole.querySelector("[data-when-folded]").hidden = isWhole;
    whole.querySelector("[data-when-whole]").hidden = !isWhole;
    if (!isWhole) openAtLastTurn(prompt);
    if (prompt.getBoundingClientRect().top < 0) prompt.scrollIntoView();
  };
  document.addEventListener("click", (event) => {
    const prompt = event.target.closest?.("[data-whole]")?.closest(".desk-prompt");
    if (prompt) turnOver(prompt);
  });

  // --- a question comes
  const start = () => {
    const found = document.getElementById("question");
    if (!found || found === question) return;
    question = found;
    form = found.querySelector("form[data-answer]");
    isSending = false;
    ticking = Date.now();
    guideline(recall("guideline"), false);
    // The next turn of a chat is the same question.
    if (isVeiled() && uncovered && uncovered === asked()) veil(false);
    const before = document.activeElement;
    if (form) type().start?.(form);
    const prompt = found.querySelector(".desk-prompt");
    const whole = prompt?.querySelector("[data-whole]");
    if (whole) whole.hidden = !isLong(prompt);
    if (prompt) openAtLastTurn(prompt);
    const verdict = form && question.querySelector("[data-verdict]");
    if (verdict) verdict.textContent = type().verdict?.(form) || "";
    // A screen reader hears that there is another question, or none any more; keys go to the page, not to a field.
    // (A swap gives the focus to the field in which the last answer was typed.) Where the type itself
    // has chosen a field, as in a chat that goes on, one writes on there.
    const at = document.activeElement;
    if (!at || at === document.body || (question.contains(at) && at === before)) {
      question.querySelector("[data-focus]")?.focus({ preventScroll: true });
    }
  };

  document.addEventListener("input", (event) => {
    if (!form?.contains(event.target) && !event.target.matches("[data-drafted]")) return;
    desk.changed();
    if (event.target.matches("[data-wants-reason]:checked")) form.elements.reason?.focus();
  });

  document.addEventListener("submit", (event) => {
    // What is decided is not begun any more.
    if (event.target.matches("form[data-ends-draft]")) clearTimeout(draftTimer), (draftTimer = null);
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!question?.contains(event.target) || event.detail.requestConfig.verb === "get") return;
    tick();
    isSending = true; // an answer must not be overtaken by its own draft
    clearTimeout(draftTimer);
    draftTimer = null;
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.requestConfig?.verb !== "get") isSending = false;
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    // htmx would go on in the next question's field of the same name, and keys would be typed there.
    const at = document.activeElement;
    if (event.detail.target?.id !== "question" || !event.detail.shouldSwap) return;
    if (question?.contains(at)) at.blur();
    // htmx would say of each element that it goes, and a long text has thousands.
    for (const text of question?.querySelectorAll(".reading, .diff") || []) text.replaceChildren();
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    // z, Enter: the last answer is corrected.
    if (event.detail.target.id === "last-answers-rows") event.detail.target.querySelector("a")?.focus();
  });
  document.addEventListener("htmx:load", start);
  document.addEventListener("DOMContentLoaded", start);

  // --- guideline: open or not, for all questions
  const recall = (name) => {
    try {
      return localStorage.getItem(name) === "open";
    } catch {
      return false;
    }
  };
  const guideline = (isOpen, remember = true) => {
    const panel = question?.querySelector("#guideline");
    if (!panel) return;
    panel.hidden = !isOpen;
    question.classList.toggle("has-guideline", isOpen);
    question.querySelector("[data-guideline-toggle]").setAttribute("aria-expanded", String(isOpen));
    if (!remember) return;
    try {
      localStorage.setItem("guideline", isOpen ? "open" : "closed");
    } catch {
      // then it holds for this question only
    }
  };
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-guideline-toggle]")) {
      guideline(question.querySelector("#guideline").hidden);
    }
    event.target.closest?.("[data-close]")?.closest("dialog")?.close();
  });

  // A button that takes the focus when it is pressed would take the next Enter, too; what is
  // dragged wants the press itself.
  document.addEventListener("mousedown", (event) => {
    const button = event.target.closest?.("button:not([type=submit], .chip)");
    if (button && (form?.contains(button) || button.matches("[data-whole]"))) event.preventDefault();
  });

  // --- keys
  const isTyping = (at) =>
    at.matches?.("textarea, select, input:not([type=radio], [type=checkbox], [type=hidden])");

  document.addEventListener("keydown", (event) => {
    const at = event.target;
    if (!question || event.isComposing || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]")) return;
    // Its answer is given, and waits for the network.
    if (form && question.hasAttribute("data-waiting")) return;
    const isRegion = at.matches?.("[role=region]");
    if (event.key === "Escape" && (isTyping(at) || isRegion)) {
      at.blur();
      return;
    }
    const isEnter = event.key === "Enter";
    // Nobody answers what they have not seen.
    if (isEnter && isVeiled() && (event.ctrlKey || event.metaKey || !at.matches?.("a, button, summary"))) {
      event.preventDefault();
      question.querySelector("[data-uncover]").focus();
      return;
    }
    if (isEnter && form && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit();
      return;
    }
    if (isTyping(at) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isEnter) {
      if (at.matches?.("a, button, summary")) return;
      event.preventDefault();
      if (!form) {
        question.querySelector(".empty a")?.click();
        return;
      }
      if (type().before?.(form) !== false) form.requestSubmit();
      return;
    }
    // A text that scrolls wants these for itself.
    if (isRegion && SCROLLS.has(event.key)) return;
    if (form && !isVeiled() && type().key?.(event, form)) {
      event.preventDefault();
      return;
    }
    const button = question.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!button) return;
    event.preventDefault();
    if (button.matches("textarea")) button.focus();
    else if (button.matches(".desk-prompt")) {
      button.focus({ preventScroll: true });
      turnOver(button);
    }
    else if (button.matches("summary")) {
      button.click();
      button.parentElement.querySelector("a")?.focus();
    }
    else button.click();
  });
})();
