// The outbox: an answer is written down in the browser before it is sent, and crossed out when the
// server has it. So a lost network, a restart of the server or a reload loses nothing, and what
// waits goes out by itself. The server counts an answer's key once, however often it comes.
//
// What waits is sealed with a key that only pages of the person who wrote it hold: whoever signs in
// next at this browser can neither read nor send it.
(() => {
  const AGAIN_AFTER_MILLISECONDS = [1000, 2000, 4000, 8000, 15_000, 30_000];
  const TIMEOUT_MILLISECONDS = 30_000;
  const SIGN_OUT_WAITS_MILLISECONDS = 5000;
  // A proxy says these for a server that is away.
  const AWAY = new Set([0, 502, 503, 504]);

  const bar = document.getElementById("outbox");
  if (!bar) return;
  const PREFIX = `truing.outbox.${bar.dataset.name}.`;

  // --- the store: one item an answer, so that two tabs do not overwrite each other
  const inMemory = new Map();
  const store = {
    names: () => [
      ...new Set([...Object.keys(guarded(() => ({ ...localStorage }), {})), ...inMemory.keys()]),
    ].filter((name) => name.startsWith(PREFIX)),
    get: (name) => inMemory.get(name) ?? guarded(() => localStorage.getItem(name), null),
    outlivesPage: (name) => guarded(() => localStorage.getItem(name), null) !== null,
    set(name, sealed) {
      inMemory.set(name, sealed);
      // Full or forbidden: then it waits for as long as the page is open.
      guarded(() => localStorage.setItem(name, sealed));
    },
    remove(name) {
      inMemory.delete(name);
      guarded(() => localStorage.removeItem(name));
    },
  };
  function guarded(action, otherwise) {
    try {
      return action();
    } catch {
      return otherwise;
    }
  }
  // What another tab has sent is crossed out here too, and its question is behind this one.
  window.addEventListener("storage", (event) => {
    if (!event.key?.startsWith(PREFIX) || event.newValue !== null) return;
    inMemory.delete(event.key);
    if (isBehind()) send();
  });

  // --- the seal; a page that came without HTTPS has no WebCrypto, and hid nothing on its way either
  const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)));
  const key =
    crypto.subtle?.importKey("raw", bytes(bar.dataset.key), "AES-GCM", false, ["encrypt", "decrypt"]);
  const seal = async (entry) => {
    const plain = new TextEncoder().encode(JSON.stringify(entry));
    if (!key) return JSON.stringify(entry);
    const nonce = crypto.getRandomValues(new Uint8Array(12));
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce }, await key, plain);
    // In pieces: a long text does not fit into the arguments of one call.
    const parts = [];
    for (let at = 0; at < sealed.byteLength; at += 8190) parts.push(text(sealed.slice(at, at + 8190)));
    return `${text(nonce)}.${parts.join("")}`;
  };
  const open = async (sealed) => {
    if (!key) return JSON.parse(sealed);
    const [nonce, body] = sealed.split(".").map((part) => Uint8Array.from(atob(part), (c) => c.charCodeAt(0)));
    const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv: nonce }, await key, body);
    return JSON.parse(new TextDecoder().decode(plain));
  };

  // --- writing down and crossing out, one after the other
  let writing = Promise.resolve();
  const inTurn = (action) => (writing = writing.then(action, action));
  const write = (name, entry) => inTurn(async () => store.set(PREFIX + name, await seal(entry)));
  const cross = (name) => inTurn(() => store.remove(PREFIX + name));

  const entryOf = (url, data) => ({
    url,
    // The page's own token goes out beside it; this one would be too old by then.
    body: [...data.entries()].filter(([name]) => name !== "csrfmiddlewaretoken"),
    at: Date.now(),
  });

  // --- the bar, and the form that must not be answered twice
  const say = (kind) => {
    const words = kind ? bar.dataset[kind] : "";
    bar.hidden = !words;
    if (bar.firstElementChild.textContent !== words) bar.firstElementChild.textContent = words;
    bar.classList.toggle("alert-warning", kind !== "sent");
    bar.classList.toggle("alert-success", kind === "sent");
  };
  const form = () => document.querySelector("#question form[data-answer]");
  const hold = (isHeld) => {
    const question = document.getElementById("question");
    if (question) question.toggleAttribute("data-waiting", isHeld);
    form()?.toggleAttribute("inert", isHeld);
  };
  // Its answer waited here, and does so no more.
  const isBehind = () =>
    document.getElementById("question")?.hasAttribute("data-waiting") &&
    form() !== null &&
    !store.get(`${PREFIX}answer.${form().elements.key.value}`);
  const isHere = (url) => form()?.getAttribute("hx-post") === url;
  const isDraftOfThis = (url) => document.getElementById("question")?.dataset.draftUrl === url;

  // --- an answer on its way
  // (When it comes back, the form may be gone; htmx then tells of it at what stands in its place.)
  const answering = ({ detail: { requestConfig } }) =>
    requestConfig?.verb === "post" && requestConfig.elt.matches?.("form[data-answer]");
  const keyIn = (data) => data.get("key");

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!answering(event)) return;
    if (event.detail.elt.inert) {
      event.preventDefault(); // it is on its way already
      return;
    }
    const { formData, path } = event.detail.requestConfig;
    const name = keyIn(formData);
    event.detail.requestConfig.draftUrl = document.getElementById("question")?.dataset.draftUrl;
    if (name) write(`answer.${name}`, entryOf(path, formData));
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!answering(event)) return;
    const { xhr, requestConfig } = event.detail;
    const name = keyIn(requestConfig.formData);
    if (!name) return;
    // 403: the page is too old, or its person is signed out. The page that comes next sends it.
    const isKept = AWAY.has(xhr.status) || xhr.status === 403 || xhr.getResponseHeader("HX-Redirect");
    if (!isKept) {
      cross(`answer.${name}`);
      cross(`draft.${requestConfig.draftUrl}`);
    } else if (AWAY.has(xhr.status)) {
      hold(true);
      say("waiting");
      again();
    }
  });

  // --- what waits goes out
  let tries = 0;
  let timer = null;
  const again = () => {
    clearTimeout(timer);
    const pause = AGAIN_AFTER_MILLISECONDS[Math.min(tries, AGAIN_AFTER_MILLISECONDS.length - 1)];
    tries += 1;
    timer = setTimeout(send, pause);
  };

  const post = ({ url, body }) => {
    const data = new FormData();
    body.forEach(([name, value]) => data.append(name, value));
    return fetch(url, {
      method: "POST",
      body: data,
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
      headers: { ...JSON.parse(document.body.getAttribute("hx-headers")), "HX-Request": "true" },
    });
  };

  let isFirst = true; // after a load, what waits is newer than what the page shows
  const sendAll = async () => {
    await writing;
    const waiting = [];
    for (const name of store.names()) {
      const sealed = store.get(name);
      if (!sealed) continue;
      try {
        waiting.push({ name, ...(await open(sealed)) });
      } catch {
        // Not written by this person, or by another version: nobody can read it any more.
        store.remove(name);
      }
    }
    waiting.sort((one, other) => one.at - other.at);
    let isSent = false;
    let here = false;
    for (const entry of waiting) {
      const isDraft = entry.name.startsWith(`${PREFIX}draft.`);
      const isShown = isDraft ? isDraftOfThis(entry.url) : isHere(entry.url);
      if (isDraft && isShown && !isFirst) {
        window.truing.desk.saveDraft();
        continue;
      }
      if (!isDraft) say("sending");
      if (!isDraft && isShown) hold(true);
      const answer = await post(entry);
      if (AWAY.has(answer.status)) throw new Error("away");
      // Signed out, or this page is too old: it waits until this person opens another.
      if (answer.type === "opaqueredirect" || answer.headers.get("HX-Redirect")) continue;
      if (answer.status === 403 && !isFirst) continue;
      store.remove(entry.name);
      if (isDraft) saved(entry.url);
      isSent ||= !isDraft && answer.ok;
      if (isDraft || answer.ok) {
        here ||= isShown;
        continue;
      }
      refused(await answer.text());
      if (isShown) hold(false); // to be mended and sent again
      if (!isShown || !isFirst) continue;
      // The page was loaded without it: what is refused comes back as a draft.
      const { draftUrl } = document.getElementById("question").dataset;
      if (draftUrl) await post({ ...entry, url: draftUrl });
      here = true;
    }
    isFirst = false;
    return { isSent, here };
  };

  let refusals = 0;
  const refused = (html) => {
    refusals += 1;
    const sentence = new DOMParser().parseFromString(html, "text/html").body.textContent.trim();
    if (sentence) window.truing.say(sentence.replace(/\s*✕$/, "").slice(0, 500));
  };

  const goOn = () => {
    const desk = bar.dataset.desk;
    if (!desk) {
      location.reload(); // a page of one question, which is as it is now
      return;
    }
    htmx.ajax("GET", desk + (location.pathname === desk ? location.search : ""), {
      target: "#question",
      swap: "outerHTML show:window:top",
    });
  };

  let sending = null;
  const send = () => (sending ??= sendWaiting().finally(() => (sending = null)));
  const sendWaiting = async () => {
    clearTimeout(timer);
    try {
      // Two tabs do not send the same at once; where there are no locks, the server counts once.
      const all = navigator.locks
        ? await navigator.locks.request("truing.outbox", sendAll)
        : await sendAll();
      tries = 0;
      if (isBehind()) all.isSent = all.here = true;
      hold(false);
      say(all.isSent ? "sent" : "");
      if (all.isSent) setTimeout(() => sending || say(""), 6000);
      if (all.here) goOn();
    } catch {
      say("waiting");
      again();
    }
  };

  const any = () => store.names().length > 0;
  window.addEventListener("online", () => any() && send());
  document.addEventListener("visibilitychange", () => !document.hidden && timer && any() && send());
  document.addEventListener("DOMContentLoaded", () => any() && send());

  // --- a draft that is saved while the next page is on its way is not in that page: it asks again
  const LATE = "truing.saved-late";
  let isLeaving = false;
  let underWay = ""; // the draft that is being saved
  const saved = (url) => isLeaving && url && guarded(() => sessionStorage.setItem(LATE, url));
  window.addEventListener("beforeunload", () => {
    isLeaving = true;
    saved(underWay);
  });
  document.addEventListener("DOMContentLoaded", () => {
    const url = guarded(() => sessionStorage.getItem(LATE), null);
    guarded(() => sessionStorage.removeItem(LATE));
    if (url && isDraftOfThis(url)) goOn();
  });

  // --- drafts that could not be saved wait too, the last one of each question
  window.truing.outbox = {
    draftSaving(url) {
      underWay = url;
      saved(url);
    },
    keepDraft(url, data) {
      underWay = "";
      write(`draft.${url}`, entryOf(url, data));
      again();
    },
    draftSaved(url) {
      underWay = "";
      saved(url);
      cross(`draft.${url}`);
    },
  };

  // Whoever signs out takes with them what waits, and is asked where it cannot be sent.
  const sendAtLast = async () => {
    await sending; // it may have begun before the last answer was written down
    await send();
  };
  document.addEventListener("submit", async (event) => {
    const signOut = event.target;
    if (!signOut.matches("form[data-sign-out]") || !any()) return;
    event.preventDefault();
    const before = refusals;
    const patience = new Promise((done) => setTimeout(done, SIGN_OUT_WAITS_MILLISECONDS));
    await Promise.race([sendAtLast(), patience]);
    if (refusals > before) return; // a sentence says why, and it can be mended
    const { t } = window.truing;
    const words = store.names().every(store.outlivesPage)
      ? t("What you wrote could not be sent yet. It stays in this browser and goes out when you sign in here again. Sign out now?")
      : t("What you wrote could not be sent yet, and this browser cannot keep it: if you sign out now, it is lost. Sign out all the same?");
    if (!any() || window.confirm(words)) signOut.submit();
  });
})();
