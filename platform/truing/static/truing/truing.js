// What every page does: messages, confirmations, dialogs, copying, and telling when the server is away.
(() => {
  const messages = () => document.getElementById("messages");

  // What a script says to a person, in the language of the page: `t("{0} to place.", 3)`.
  const words = JSON.parse(document.getElementById("words")?.textContent || "{}");
  const t = (said, ...values) =>
    (words[said] ?? said).replace(/\{(\d)\}/g, (_, at) => values[Number(at)]);

  const say = (text, kind = "error") => {
    const alert = document.createElement("div");
    alert.className = `alert alert-soft alert-${kind}`;
    alert.setAttribute("role", "alert");
    const span = document.createElement("span");
    span.className = "grow";
    span.textContent = text;
    const close = document.createElement("button");
    close.type = "button";
    close.className = "btn btn-ghost btn-xs";
    close.dataset.dismiss = "";
    close.setAttribute("aria-label", t("Dismiss"));
    close.textContent = "✕";
    alert.append(span, close);
    messages()?.replaceChildren(alert);
  };
  window.truing = { say, t };

  document.addEventListener("click", (event) => {
    const at = (selector) => event.target.closest?.(selector);
    const dismiss = at("[data-dismiss]");
    if (dismiss) dismiss.closest('[role="alert"], [role="status"]')?.remove();
    const opener = at("[data-open]");
    if (opener) document.querySelector(opener.dataset.open)?.showModal();
    const copier = at("[data-copy]");
    if (copier) {
      navigator.clipboard?.writeText(copier.dataset.copy).then(() => {
        const before = copier.textContent;
        copier.textContent = t("Copied");
        setTimeout(() => (copier.textContent = before), 1500);
      });
    }
    // A menu closes when one clicks elsewhere.
    document.querySelectorAll("details[data-menu][open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.removeAttribute("open");
    });
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.querySelectorAll("details[data-menu][open]").forEach((menu) => {
      menu.removeAttribute("open");
      menu.querySelector("summary")?.focus();
    });
  });

  document.addEventListener("submit", (event) => {
    const question = event.target.dataset?.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
  });

  // Who clicks twice sends once: the server would do it twice, and answer the second time alone.
  const TWICE_MILLISECONDS = 2000;
  const sent = new WeakMap();
  document.addEventListener("submit", (event) => {
    const form = event.target;
    // What a script sends takes care of itself.
    if (event.defaultPrevented || form.getAttribute("method") !== "post" || form.matches("[data-answer]")) return;
    if (Date.now() - (sent.get(form) ?? 0) < TWICE_MILLISECONDS) event.preventDefault();
    else sent.set(form, Date.now());
  });
  // Come back to, a page can be sent again.
  window.addEventListener("pageshow", () => document.querySelectorAll("form").forEach((form) => sent.delete(form)));

  const away = (event) => {
    // What happens to an answer, the desk says itself.
    if (event.detail.elt.matches?.("form[data-answer]")) return;
    say(t("The server does not answer. Nothing you wrote here is lost; please try again."));
  };
  document.addEventListener("htmx:sendError", away);
  document.addEventListener("htmx:timeout", away);
  // A proxy's page about a server that is away is no part of ours.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr } = event.detail;
    if (xhr.status < 500 || xhr.getResponseHeader("HX-Retarget")) return;
    event.detail.shouldSwap = false;
    away(event);
  });
  // The next good answer makes what was said before it untrue.
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const { xhr, requestConfig } = event.detail;
    const isNew = requestConfig.verb !== "get" || event.detail.elt.matches?.('[hx-target="#question"]');
    if (xhr.status < 400 && isNew) messages()?.replaceChildren();
  });
})();
