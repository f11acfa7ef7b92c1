// Spans: words are chosen by arrows or the mouse, and a digit marks them.
// Places are counted as the browser does (UTF-16) in here, and in characters where they are sent.
(() => {
  const LONGEST_QUOTE = 60;
  const LONG_CHARACTERS = 12_000;
  const PART_CHARACTERS = 3000;
  let form = null;
  let texts = []; // of each output: { element, text, parts, words, sentences }
  let marks = []; // { at, start, end, label, severity }
  let chosen = null; // { at, start, end }

  const hidden = () => form.elements.spans;
  const labels = () => [...form.querySelectorAll("[data-label]")].map((one) => one.dataset.label);
  // As it stands there: in another language, it may be another word.
  const wordOf = (label) => form.querySelector(`[data-label="${CSS.escape(label)}"] > span`)?.textContent ?? label;
  const severities = () => [...form.querySelectorAll("[data-severity]")].map((one) => one.textContent);
  const same = (one, other) => one.at === other.at && one.start === other.start && one.end === other.end;

  // --- characters and what the browser counts
  const isWide = (text) => /[\ud800-\udfff]/.test(text);
  const points = (text, place) => (isWide(text) ? [...text.slice(0, place)].length : place);
  const units = (text, place) => (isWide(text) ? [...text].slice(0, place).join("").length : place);

  // --- words and sentences, found when they are first wanted
  const pieces = (text, granularity, plain) => {
    if (!window.Intl?.Segmenter) {
      return [...text.matchAll(plain)].map((one) => [one.index, one.index + one[0].length]);
    }
    const found = [...new Intl.Segmenter(undefined, { granularity }).segment(text)];
    return found
      .filter((one) => (granularity === "word" ? one.isWordLike : one.segment.trim()))
      .map((one) => [one.index, one.index + one.segment.trimEnd().length]);
  };
  const words = (at) => (texts[at].words ||= pieces(texts[at].text, "word", /[\p{L}\p{N}_'’-]+/gu));
  const sentences = (at) =>
    (texts[at].sentences ||= pieces(texts[at].text, "sentence", /[^.!?\n]+[.!?]*/g));

  // --- what is chosen
  const place = (at, offset) => {
    const walker = document.createTreeWalker(texts[at].element, NodeFilter.SHOW_TEXT);
    let left = offset;
    let last = null;
    while (walker.nextNode()) {
      last = walker.currentNode;
      if (left <= last.length) return [last, left];
      left -= last.length;
    }
    return last ? [last, last.length] : [texts[at].element, 0];
  };

  const show = (scroll = true) => {
    const says = form.querySelector("[data-chosen]");
    if (!chosen) {
      says.textContent = window.truing.t("Choose words: with the arrow keys, the mouse or a finger.");
      return;
    }
    const [from, start] = place(chosen.at, chosen.start);
    const [to, end] = place(chosen.at, chosen.end);
    getSelection().setBaseAndExtent(from, start, to, end);
    says.textContent = `“${quote(chosen)}”`;
    if (!scroll) return;
    const at = getSelection().getRangeAt(0).getBoundingClientRect();
    // Beside the text, or where there is no room, over its end.
    const panel = form.querySelector("[data-spans]").getBoundingClientRect();
    const bottom = Math.min(innerHeight - 120, panel.left < at.right && panel.right > at.left ? panel.top : Infinity);
    if (at.top < 90 || at.bottom > bottom) scrollBy({ top: at.top - innerHeight / 3 });
  };

  const quote = ({ at, start, end }) => {
    const said = texts[at].text.slice(start, end).replace(/\s+/g, " ");
    return said.length > LONGEST_QUOTE ? `${said.slice(0, LONGEST_QUOTE)}…` : said;
  };

  const choose = (at, [start, end]) => {
    chosen = { at, start, end };
    show();
    return true;
  };

  // The next piece after what is chosen, or the one before; over the end, in the next output.
  const step = (kind, ahead) => {
    let at = chosen ? chosen.at : ahead ? 0 : texts.length - 1;
    const from = chosen ? (ahead ? chosen.end : chosen.start) : ahead ? -1 : Infinity;
    let found = ahead
      ? kind(at).find(([start]) => start >= from)
      : kind(at).findLast(([, end]) => end <= from);
    while (!found && texts[at + (ahead ? 1 : -1)]) {
      at += ahead ? 1 : -1;
      found = kind(at).at(ahead ? 0 : -1);
    }
    if (!found) return true;
    if (kind === words) return choose(at, found);
    // Of a sentence the first word is chosen.
    return choose(at, words(at).find(([start]) => start >= found[0]) || found);
  };

  const previousSentence = () => {
    if (!chosen) return step(sentences, false);
    const here = sentences(chosen.at).find(([start, end]) => start <= chosen.start && chosen.start < end);
    // Out of the middle of a sentence to its beginning first.
    const first = here && words(chosen.at).find(([start]) => start >= here[0]);
    if (first && first[0] < chosen.start) return choose(chosen.at, first);
    return step(sentences, false);
  };

  const extend = (ahead) => {
    if (!chosen) return step(words, ahead);
    const { at, start, end } = chosen;
    if (ahead) {
      const next = words(at).find((word) => word[0] >= end);
      return choose(at, [start, next ? next[1] : end]);
    }
    const inside = words(at).filter((word) => word[0] >= start && word[1] <= end);
    if (inside.length > 1) return choose(at, [start, inside.at(-2)[1]]);
    const before = words(at).findLast((word) => word[1] <= start);
    return choose(at, [before ? before[0] : start, end]);
  };

  const wholeSentence = () => {
    if (!chosen) return step(sentences, true);
    const { at, start, end } = chosen;
    const next = sentences(at).find((one) => one[1] > end);
    return choose(at, [start, next ? next[1] : end]);
  };

  const nudge = (edge, by) => {
    if (!chosen) return true;
    const next = { ...chosen, [edge]: chosen[edge] + by };
    const isThere = next.start >= 0 && next.start < next.end && next.end <= texts[chosen.at].text.length;
    return isThere ? choose(chosen.at, [next.start, next.end]) : true;
  };

  // --- marks
  const write = () => {
    const listed = marks.map(({ at, start, end, label, severity }) => [
      at,
      points(texts[at].text, start),
      points(texts[at].text, end),
      label,
      severity,
    ]);
    hidden().value = listed.length ? JSON.stringify(listed) : "";
    draw();
    window.truing.desk.changed();
  };

  const read = () => {
    let listed = [];
    try {
      listed = JSON.parse(hidden().value || "[]");
    } catch {
      // then there are none
    }
    marks = listed
      .filter(([at]) => texts[at])
      .map(([at, start, end, label, severity]) => ({
        at,
        start: units(texts[at].text, start),
        end: units(texts[at].text, end),
        label,
        severity,
      }));
  };

  const mark = (number) => {
    const label = labels()[number];
    if (!label) return false;
    if (!chosen) return true;
    const there = marks.find((one) => same(one, chosen) && one.label === label);
    if (!there) {
      marks.push({ ...chosen, label, severity: severities().length ? 1 : 0 });
      form.querySelector("[data-none]").checked = false;
    } else if (there.severity < severities().length) there.severity += 1;
    else marks = marks.filter((one) => one !== there);
    write();
    return true;
  };

  const takeOff = () => {
    if (!chosen || !marks.some((one) => same(one, chosen))) return true;
    marks = marks.filter((one) => !same(one, chosen));
    write();
    return true;
  };

  const inOrder = () =>
    [...marks].sort((one, other) => one.at - other.at || one.start - other.start || one.end - other.end);

  const nextMark = () => {
    const order = inOrder();
    if (!order.length) return true;
    const now = chosen ? order.findIndex((one) => same(one, chosen)) : -1;
    let next = now + 1;
    while (next < order.length && chosen && same(order[next], chosen)) next += 1;
    const found = order[next % order.length];
    return choose(found.at, [found.start, found.end]);
  };

  // --- how it looks: a long text in parts that end with a line, of which those are laid out that
  // are seen, and those are drawn again whose marks have changed.
  const partsOf = (element, text) => {
    if (text.length < LONG_CHARACTERS) return [{ place: element, start: 0, end: text.length }];
    const parts = [];
    for (let start = 0; start < text.length; start = parts.at(-1).end) {
      const end = text.indexOf("\n", start + PART_CHARACTERS) + 1 || text.length;
      const place = document.createElement("div");
      place.className = "span-part";
      parts.push({ place, start, end });
    }
    element.replaceChildren(...parts.map((one) => one.place));
    return parts;
  };

  const drawPart = (part, text, here) => {
    const drawn = JSON.stringify(here);
    if (part.drawn === drawn) return;
    part.drawn = drawn;
    const within = (edge) => Math.min(Math.max(edge, part.start), part.end);
    const edges = [part.start, part.end, ...here.flatMap((one) => [within(one.start), within(one.end)])];
    const cuts = [...new Set(edges)].sort((one, other) => one - other);
    const nodes = cuts.slice(1).map((end, index) => {
      const start = cuts[index];
      let node = document.createTextNode(text.slice(start, end));
      for (const one of here.filter((other) => other.start <= start && end <= other.end)) {
        const wrap = document.createElement("mark");
        const number = labels().indexOf(one.label) + 1;
        wrap.className = `span-mark span-${number} span-s${one.severity}`;
        if (one.end === end) wrap.dataset.number = String(number);
        wrap.append(node);
        node = wrap;
      }
      return node;
    });
    part.place.replaceChildren(...nodes);
  };

  const drawText = (at) => {
    const { text, parts } = texts[at];
    const marked = inOrder().filter((one) => one.at === at);
    for (const part of parts) {
      drawPart(part, text, marked.filter((one) => one.start < part.end && part.start < one.end));
    }
  };

  const button = (text, name, does) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "btn btn-xs btn-ghost";
    made.textContent = text;
    if (name) made.setAttribute("aria-label", name);
    made.addEventListener("click", does);
    return made;
  };

  const draw = () => {
    texts.forEach((_, at) => drawText(at));
    const rows = inOrder().map((one) => {
      const row = document.createElement("li");
      const words = `“${quote(one)}”`;
      const severity = severities()[one.severity - 1];
      const says = document.createElement("span");
      says.className = `span-mark span-${labels().indexOf(one.label) + 1}`;
      says.textContent = severity ? `${wordOf(one.label)}, ${severity}` : wordOf(one.label);
      const off = () => {
        marks = marks.filter((other) => other !== one);
        write();
      };
      row.append(
        says,
        button(words, "", () => choose(one.at, [one.start, one.end])),
        button("×", window.truing.t("Take off: {0}, {1}", wordOf(one.label), words), off),
      );
      return row;
    });
    form.querySelector("[data-marks]").replaceChildren(...rows);
    form.querySelector("[data-none]").disabled = marks.length > 0;
    show(false);
  };

  // What the mouse has chosen.
  const fromPage = (byFinger = false) => {
    const now = getSelection();
    if (!now.rangeCount || now.isCollapsed) return;
    const range = now.getRangeAt(0);
    const at = texts.findIndex(
      ({ element }) => element.contains(range.startContainer) && element.contains(range.endContainer),
    );
    if (at < 0) return;
    const before = document.createRange();
    before.selectNodeContents(texts[at].element);
    before.setEnd(range.startContainer, range.startOffset);
    const start = before.toString().length;
    const said = range.toString();
    const trimmed = said.trim();
    if (!trimmed) return;
    const from = start + said.indexOf(trimmed);
    chosen = { at, start: from, end: from + trimmed.length };
    // What a finger holds is not taken out of it.
    if (byFinger) form.querySelector("[data-chosen]").textContent = `“${quote(chosen)}”`;
    else show(false);
  };

  // A finger chooses by the handles of the telephone, of which a page hears nothing else.
  const AFTER_MILLISECONDS = 150;
  let isFinger = false;
  let choosing = null;
  document.addEventListener("pointerdown", (event) => (isFinger = event.pointerType === "touch"), true);
  document.addEventListener("selectionchange", () => {
    if (!isFinger || !form?.isConnected) return;
    clearTimeout(choosing);
    choosing = setTimeout(() => form.isConnected && fromPage(true), AFTER_MILLISECONDS);
  });

  window.truing.desk.types.spans = {
    start(theForm) {
      form = theForm;
      chosen = null;
      texts = [...form.querySelectorAll("[data-text]")].map((element) => {
        const text = element.textContent;
        return { element, text, parts: partsOf(element, text) };
      });
      read();
      form.addEventListener("pointerup", (event) => {
        if (event.target.closest("[data-text]")) setTimeout(() => fromPage(isFinger), 0);
      });
      form.addEventListener("click", (event) => {
        const label = event.target.closest("[data-label]");
        if (label) mark(labels().indexOf(label.dataset.label));
      });
      draw();
    },
    verdict: () => (marks.length ? window.truing.t("{0} marked", marks.length) : ""),
    key(event) {
      const { key, shiftKey } = event;
      if (/^[1-9]$/.test(key)) return mark(Number(key) - 1);
      const isFromTheRight = texts[chosen?.at ?? 0].element.matches(":dir(rtl)");
      const isLeftward = isFromTheRight ? "ArrowRight" : "ArrowLeft";
      const isArrow = key === "ArrowLeft" || key === "ArrowRight";
      if (isArrow) return shiftKey ? extend(key !== isLeftward) : step(words, key !== isLeftward);
      if (key === "ArrowDown") return shiftKey ? wholeSentence() : step(sentences, true);
      if (key === "ArrowUp") return previousSentence();
      if (key === ",") return nudge("end", -1);
      if (key === ".") return nudge("end", 1);
      if (key === ";") return nudge("start", -1);
      if (key === ":") return nudge("start", 1);
      if (key === "m") return nextMark();
      if (key === "Backspace") return takeOff();
      return false;
    },
  };
})();
