// Chat: what the models say is shown as it comes; 1 to 4 choose the best, 0 or t ties, b is all
// bad, a asks those again that did not answer.
(() => {
  const RETRY_AFTER_MILLISECONDS = 2500;

  const { t } = window.truing;
  let listening = new Set(); // one controller for each stream of the form that is shown
  let shown = null;
  let isTalking = false; // whether something was said or judged since the page was loaded

  const panes = (form) => [...form.querySelectorAll("[data-pane]")];
  const paneAt = (form, position) => form.querySelector(`[data-pane="${position}"]`);
  const radios = (form) => [...form.querySelectorAll("input[name=choice]")];
  const chosen = (form) => form.querySelector("input[name=choice]:checked");

  // A correction shows the answers alone: there is nobody to be asked.
  const set = (pane, state, { status = "", problem = "" } = {}) => {
    pane.dataset.state = state;
    pane.setAttribute("aria-busy", String(state === "waiting"));
    pane.querySelector("[data-status]").textContent = status;
    pane.querySelector("[data-problem]").textContent = problem;
    pane.querySelector("[data-trouble]").hidden = !problem;
  };

  // Only what is there can be the best; without any answer nothing can be said.
  const offer = (form) => {
    const answered = panes(form).filter((pane) => pane.dataset.state === "answered");
    for (const radio of radios(form)) {
      const pane = paneAt(form, radio.value);
      const needed = radio.value === "tie" ? 2 : 1;
      radio.disabled = pane ? pane.dataset.state !== "answered" : answered.length < needed;
      if (radio.disabled) radio.checked = false;
      radio.closest("label").classList.toggle("opacity-50", radio.disabled);
    }
    mark(form);
  };

  const mark = (form) => {
    const best = chosen(form)?.value;
    for (const pane of panes(form)) pane.classList.toggle("output-chosen", pane.dataset.pane === best);
  };

  const choose = (form, radio) => {
    if (!radio || radio.disabled) return false;
    radio.checked = true;
    mark(form);
    radio.dispatchEvent(new Event("input", { bubbles: true }));
    return true;
  };

  const take = (form, event) => {
    const pane = paneAt(form, event.position);
    if (!pane) return;
    const text = pane.querySelector("[data-text]");
    if (event.problem && event.again) {
      pane.setAttribute("data-comes-back", "");
      set(pane, "waiting", { status: event.problem });
      setTimeout(() => form === shown && listen(form, [pane]), RETRY_AFTER_MILLISECONDS * (1 + Math.random()));
    } else if (event.problem) {
      text.replaceChildren();
      set(pane, "failed", { problem: event.problem });
    } else if (event.html !== undefined) {
      // Made and cleaned by the server, like every text on this page.
      text.classList.remove("whitespace-pre-wrap");
      text.innerHTML = event.html || `<p>${t("It said nothing.")}</p>`;
      set(pane, "answered");
    } else {
      text.classList.add("whitespace-pre-wrap");
      text.append(event.piece);
      pane.querySelector("[data-status]").textContent = "";
    }
    offer(form);
  };

  const read = async (form, response) => {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const events = (rest + value).split("\n\n");
      rest = events.pop();
      for (const event of events) {
        if (event.startsWith("data: ")) take(form, JSON.parse(event.slice(6)));
      }
    }
  };

  // With one pane, that one is asked again; with all, those that have not been asked yet.
  const listen = async (form, asked, position = null) => {
    const controller = new AbortController();
    listening.add(controller);
    const body = new FormData();
    if (position !== null) body.set("position", position);
    for (const pane of asked) {
      pane.querySelector("[data-text]").replaceChildren();
      pane.removeAttribute("data-comes-back");
      set(pane, "waiting", { status: t("Waiting…") });
    }
    offer(form);
    try {
      const response = await fetch(form.dataset.repliesUrl, {
        method: "POST",
        body,
        signal: controller.signal,
        redirect: "manual",
        headers: JSON.parse(document.body.getAttribute("hx-headers")),
      });
      if (response.ok) await read(form, response);
    } catch {
      // What has not come is said below.
    } finally {
      listening.delete(controller);
    }
    if (controller.signal.aborted || form !== shown) return;
    for (const pane of asked) {
      if (pane.dataset.state === "waiting" && !pane.hasAttribute("data-comes-back")) {
        pane.querySelector("[data-text]").replaceChildren();
        set(pane, "failed", { problem: t("The connection broke. What came before is kept.") });
      }
    }
    offer(form);
  };

  const again = (form, pane) => {
    if (pane && pane.dataset.state === "failed") listen(form, [pane], pane.dataset.pane);
  };

  const leave = () => {
    for (const controller of listening) controller.abort();
    listening = new Set();
  };
  document.addEventListener("htmx:afterSwap", (event) => {
    if (shown && !document.contains(shown)) {
      leave();
      shown = null;
    }
  });
  window.addEventListener("pagehide", leave);

  window.truing.desk.types.chat = {
    start(form) {
      leave();
      shown = form;
      form.addEventListener("submit", () => (isTalking = true));
      if (form.dataset.chat === "say") {
        // Who comes to the desk may want the keys; who has just chosen wants to write on.
        if (!isTalking) return;
        const box = form.elements.message;
        box.focus({ preventScroll: true });
        box.setSelectionRange(box.value.length, box.value.length);
        document.querySelector(".chat-log")?.scrollTo({ top: 1e9 });
        return;
      }
      form.addEventListener("click", (event) => {
        const button = event.target.closest("[data-again]");
        if (button) again(form, paneAt(form, button.dataset.again));
      });
      form.addEventListener("change", () => mark(form));
      offer(form);
      const waiting = panes(form).filter((pane) => pane.dataset.state === "waiting");
      if (waiting.length) listen(form, waiting);
    },
    before(form) {
      return form.dataset.chat === "say" ? Boolean(form.elements.message.value.trim()) : true;
    },
    verdict: (form) => chosen(form)?.closest("label").title || "",
    key(event, form) {
      if (form.dataset.chat === "say") {
        if (event.key !== "w") return false;
        form.elements.message.focus();
        return true;
      }
      switch (event.key) {
        case "1":
        case "2":
        case "3":
        case "4":
          return choose(form, radios(form).find((radio) => radio.value === String(Number(event.key) - 1)));
        case "0":
        case "t":
          return choose(form, radios(form).find((radio) => radio.value === "tie"));
        case "b":
          return choose(form, radios(form).find((radio) => radio.value === "all_bad"));
        case "a":
          for (const pane of panes(form)) again(form, pane);
          return true;
        default:
          return false;
      }
    },
  };
})();
