// A word diff of any two texts: what is the same, what is gone, what is new.
// Myers' algorithm, and where two texts have too little in common for it, passages that stand once
// in each of them are matched first. The work is bounded, so long texts stay smooth.
(() => {
  const MOST_DIFFERENCES = 1000; // in one go of Myers
  const MOST_STEPS = 5_000_000; // in all: some 50 milliseconds
  const PASSAGES = [6, 3]; // words that make a passage
  const FOLD_ABOVE_CHARACTERS = 900;
  const SHOWN_BESIDE_CHARACTERS = 250;
  const LONG_CHARACTERS = 12_000;
  const PART_CHARACTERS = 3000;

  // A word, a run of white space, or one sign; scripts without spaces go by the sign.
  const TOKEN =
    /\s+|[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}]|[\p{L}\p{M}\p{N}_]+(?:['’][\p{L}]+)?|[^\s]/gu;
  const tokensOf = (text) => text.match(TOKEN) || [];

  const numbered = (tokens, names) =>
    Int32Array.from(tokens, (token) => {
      let number = names.get(token);
      if (number === undefined) names.set(token, (number = names.size));
      return number;
    });

  // Pairs of equal places inside the two ranges, or null where they differ too much.
  const myers = (a, b, range, work) => {
    const { from, to, start, stop } = range;
    const n = to - from;
    const m = stop - start;
    const most = Math.min(n + m, MOST_DIFFERENCES);
    const reach = new Int32Array(2 * most + 3);
    const middle = most + 1;
    const before = [];
    for (let d = 0; d <= most; d += 1) {
      before.push(reach.slice(middle - d - 1, middle + d + 2));
      work.steps += d;
      if (work.steps > MOST_STEPS) return null;
      for (let k = -d; k <= d; k += 2) {
        const isDown = k === -d || (k !== d && reach[middle + k - 1] < reach[middle + k + 1]);
        let x = isDown ? reach[middle + k + 1] : reach[middle + k - 1] + 1;
        let y = x - k;
        while (x < n && y < m && a[from + x] === b[start + y]) {
          x += 1;
          y += 1;
        }
        reach[middle + k] = x;
        if (x >= n && y >= m) return back(before, n, m, from, start);
      }
    }
    return null;
  };

  const back = (before, n, m, from, start) => {
    const pairs = [];
    let x = n;
    let y = m;
    for (let d = before.length - 1; d > 0; d -= 1) {
      const reach = before[d];
      const middle = d + 1;
      const k = x - y;
      const isDown = k === -d || (k !== d && reach[middle + k - 1] < reach[middle + k + 1]);
      const last = isDown ? k + 1 : k - 1;
      const toX = reach[middle + last];
      // After the one difference both sides are equal, up to here.
      while (x > (isDown ? toX : toX + 1)) {
        x -= 1;
        y -= 1;
        pairs.push([from + x, start + y]);
      }
      x = toX;
      y = toX - last;
    }
    while (x > 0 && y > 0) {
      x -= 1;
      y -= 1;
      pairs.push([from + x, start + y]);
    }
    return pairs.reverse();
  };

  // Passages that stand once in each range, in the order of both.
  const anchors = (a, b, range, size) => {
    const places = new Map(); // passage -> place in a, or -1 where it stands twice
    // A number in place of the passage, which two may share: then they are compared.
    const key = (tokens, at) => {
      let number = 0;
      for (let place = at; place < at + size; place += 1) number = (Math.imul(number, 0x9e3779b1) + tokens[place]) | 0;
      return number & 0x3fffffff;
    };
    const isSame = (inA, inB) => {
      for (let place = 0; place < size; place += 1) if (a[inA + place] !== b[inB + place]) return false;
      return true;
    };
    for (let at = range.from; at + size <= range.to; at += 1) {
      const passage = key(a, at);
      places.set(passage, places.has(passage) ? -1 : at);
    }
    const found = new Map();
    for (let at = range.start; at + size <= range.stop; at += 1) {
      const passage = key(b, at);
      const place = places.get(passage);
      if (place === undefined || place < 0) continue;
      found.set(passage, found.has(passage) ? -1 : at);
    }
    const once = [...found].filter(([, at]) => at >= 0).map(([passage, at]) => [places.get(passage), at]);
    const pairs = once.filter(([inA, inB]) => isSame(inA, inB));
    pairs.sort((one, other) => one[0] - other[0]);
    return rising(pairs);
  };

  // The longest row of pairs that rises on both sides.
  const rising = (pairs) => {
    const ends = [];
    const previous = new Int32Array(pairs.length);
    pairs.forEach(([, at], index) => {
      let low = 0;
      let high = ends.length;
      while (low < high) {
        const half = (low + high) >> 1;
        if (pairs[ends[half]][1] < at) low = half + 1;
        else high = half;
      }
      previous[index] = low ? ends[low - 1] : -1;
      ends[low] = index;
    });
    const row = [];
    for (let at = ends.length ? ends.at(-1) : -1; at >= 0; at = previous[at]) row.push(pairs[at]);
    return row.reverse();
  };

  const match = (a, b, range, pairs, work) => {
    let { from, to, start, stop } = range;
    while (from < to && start < stop && a[from] === b[start]) pairs.push([from++, start++]);
    const tail = [];
    while (from < to && start < stop && a[to - 1] === b[stop - 1]) tail.push([--to, --stop]);
    const rest = { from, to, start, stop };
    if (from < to && start < stop) {
      const found = myers(a, b, rest, work);
      if (found) found.forEach((pair) => pairs.push(pair));
      else byPassages(a, b, rest, pairs, work);
    }
    tail.reverse().forEach((pair) => pairs.push(pair));
  };

  const byPassages = (a, b, range, pairs, work) => {
    for (const size of PASSAGES) {
      if (work.steps > MOST_STEPS) return;
      const row = anchors(a, b, range, size);
      if (!row.length) continue;
      let { from, start } = range;
      for (const [inA, inB] of row) {
        if (inA < from || inB < start) continue; // inside the passage before
        match(a, b, { from, to: inA, start, stop: inB }, pairs, work);
        pairs.push([inA, inB]);
        from = inA + 1;
        start = inB + 1;
      }
      match(a, b, { from, to: range.to, start, stop: range.stop }, pairs, work);
      return;
    }
  };

  // How much is the same at both ends, up to where words end: mostly somebody types into one place.
  const isSpace = (text, at) => /\s/.test(text[at]);
  const ends = (first, second) => {
    const most = Math.min(first.length, second.length);
    let common = 0;
    while (common < most && first[common] === second[common]) common += 1;
    let head = Math.max(0, common - 1);
    while (head > 0 && !(isSpace(first, head) && !isSpace(first, head - 1))) head -= 1;
    let tail = 0;
    while (tail < most - common && first.at(-1 - tail) === second.at(-1 - tail)) tail += 1;
    tail = Math.max(0, tail - 1);
    while (tail > 0 && !(isSpace(first, first.length - tail) && !isSpace(first, first.length - tail - 1))) tail -= 1;
    return [head, tail];
  };

  // [kind, text]: "same", "gone" from the first, "new" in the second.
  const diff = (first, second) => {
    const [head, tail] = ends(first, second);
    const left = tokensOf(first.slice(head, first.length - tail));
    const right = tokensOf(second.slice(head, second.length - tail));
    const names = new Map();
    const a = numbered(left, names);
    const b = numbered(right, names);
    const pairs = [];
    match(a, b, { from: 0, to: a.length, start: 0, stop: b.length }, pairs, { steps: 0 });
    const runs = [];
    const add = (kind, text) => {
      if (!text) return;
      if (runs.length && runs.at(-1)[0] === kind) runs.at(-1)[1] += text;
      else runs.push([kind, text]);
    };
    add("same", first.slice(0, head));
    let x = 0;
    let y = 0;
    for (const [inA, inB] of [...pairs, [a.length, b.length]]) {
      add("gone", left.slice(x, inA).join(""));
      add("new", right.slice(y, inB).join(""));
      if (inA < a.length) add("same", left[inA]);
      x = inA + 1;
      y = inB + 1;
    }
    add("same", first.slice(first.length - tail));
    return joined(runs);
  };

  // A lone space between two changes is no island: the eye reads one change.
  const joined = (runs) => {
    const out = [];
    let gone = "";
    let added = "";
    const flush = () => {
      if (gone) out.push(["gone", gone]);
      if (added) out.push(["new", added]);
      gone = added = "";
    };
    runs.forEach(([kind, text], index) => {
      if (kind === "gone") gone += text;
      else if (kind === "new") added += text;
      else if (gone && added && /^[^\S\n]+$/.test(text) && index < runs.length - 1) {
        gone += text;
        added += text;
      } else {
        flush();
        out.push(["same", text]);
      }
    });
    flush();
    return out;
  };

  const element = (name, text, className = "") => {
    const made = document.createElement(name);
    made.textContent = text;
    if (className) made.className = className;
    return made;
  };

  // A long text in parts that end with a line.
  const partsOf = (text) => {
    const parts = [];
    let from = 0;
    while (text.length - from > PART_CHARACTERS) {
      const end = text.indexOf("\n", from + PART_CHARACTERS) + 1;
      if (!end || end === text.length) break;
      parts.push(text.slice(from, end));
      from = end;
    }
    return [...parts, text.slice(from)];
  };

  // --- code stands in other letters, as it does in the text itself
  // Of a text that is read piece by piece: [piece, is it code?]. `code` says from where to where.
  const cutter = (code) => {
    let at = 0;
    let next = 0;
    return (text) => {
      const cuts = [];
      const end = at + text.length;
      for (let begun = at; at < end; ) {
        while (next < code.length && code[next][1] <= at) next += 1;
        const [from, to] = code[next] || [Infinity, Infinity];
        const stop = Math.min(end, at < from ? from : to);
        cuts.push([text.slice(at - begun, stop - begun), at >= from]);
        at = stop;
      }
      return cuts;
    };
  };
  const plain = ([text, isCode]) => (isCode ? element("code", text) : document.createTextNode(text));
  const inSmallParts = (cuts) => cuts.flatMap(([text, isCode]) => partsOf(text).map((part) => [part, isCode]));

  // What stands beside others begins and ends in their line; between, lines are whole.
  const unfold = (more, cuts) => {
    const groups = [[]];
    let size = 0;
    for (const cut of inSmallParts(cuts)) {
      groups.at(-1).push(plain(cut));
      size += cut[0].length;
      if (size <= PART_CHARACTERS || !cut[0].endsWith("\n")) continue;
      groups.push([]);
      size = 0;
    }
    const last = groups.length > 1 ? groups.pop() : [];
    const [first, ...between] = groups;
    more.replaceWith(...first, ...between.map(asPart), ...last);
  };
  const asPart = (nodes) => {
    const part = element("div", "", "diff-part");
    part.append(...nodes);
    return part;
  };

  const same = (text, cut, isFirst, isLast) => {
    if (text.length <= FOLD_ABOVE_CHARACTERS) return cut(text).map(plain);
    const head = isFirst ? "" : text.slice(0, SHOWN_BESIDE_CHARACTERS);
    const tail = isLast ? "" : text.slice(text.length - SHOWN_BESIDE_CHARACTERS);
    const before = cut(head).map(plain);
    const folded = cut(text.slice(head.length, text.length - tail.length));
    const number = text.length - head.length - tail.length;
    const more = element("button", window.truing.t("… {0} characters are the same …", number.toLocaleString()), "diff-more");
    more.type = "button";
    more.addEventListener("click", () => unfold(more, folded));
    return [...before, more, ...cut(tail).map(plain)];
  };

  const changed = (kind, text, cuts) => {
    const isSpace = /^\s+$/.test(text);
    return inSmallParts(cuts).map(([part, isCode]) => {
      const said = isSpace ? part.replaceAll("\n", "↵\n") : part;
      const made = element(kind === "gone" ? "del" : "ins", isCode ? "" : said);
      if (isCode) made.append(plain([said, true]));
      return made;
    });
  };

  // Two texts, each with where it holds code.
  const draw = (place, first, second) => {
    const runs = diff(first.text, second.text);
    const cutFirst = cutter(first.code);
    const cutSecond = cutter(second.code);
    const nodes = runs.flatMap(([kind, text], index) => {
      if (kind === "gone") return changed(kind, text, cutFirst(text));
      if (kind === "new") return changed(kind, text, cutSecond(text));
      cutFirst(text);
      return same(text, cutSecond, index === 0, index === runs.length - 1);
    });
    place.replaceChildren(...inParts(nodes));
    return runs.some(([kind]) => kind !== "same");
  };

  // What is long comes in parts, too, of which the browser lays out those that are seen.
  const inParts = (nodes) => {
    if (nodes.reduce((sum, node) => sum + node.textContent.length, 0) < LONG_CHARACTERS) return nodes;
    const parts = [];
    let part = null;
    let size = 0;
    for (const node of nodes) {
      if (!part) parts.push((part = element("div", "", "diff-part")));
      const text = node.textContent;
      const isSame = node.nodeType === Node.TEXT_NODE || node.nodeName === "CODE";
      const end = isSame && size + text.length > PART_CHARACTERS ? text.lastIndexOf("\n") + 1 : 0;
      size += text.length;
      part.append(node);
      if (end) {
        // The rest of it, from its last line on, begins the next part.
        parts.push((part = element("div", "", "diff-part")));
        if (end < text.length) part.append(splitAt(node, end));
        size = text.length - end;
      } else if (size > PART_CHARACTERS && text.endsWith("\n")) {
        part = null;
        size = 0;
      }
    }
    return parts;
  };
  const splitAt = (node, end) => {
    if (node.nodeType === Node.TEXT_NODE) return node.splitText(end);
    const rest = element("code", node.textContent.slice(end));
    node.textContent = node.textContent.slice(0, end);
    return rest;
  };

  // What a reader sees of a rendered text, with its lines, and where it is code.
  const BLOCKS = /^(P|LI|PRE|H[1-6]|TR|BLOCKQUOTE|HR|UL|OL|TABLE|DIV)$/;
  const read = (node) => {
    const pieces = []; // [text, is it code?]
    const add = (text, isCode = false) => text && pieces.push([text, isCode]);
    const isInLine = () => pieces.length > 0 && !pieces.at(-1)[0].endsWith("\n");
    const endLine = () => {
      while (pieces.length) {
        const [text, isCode] = pieces.pop();
        const last = text.trimEnd();
        if (last) {
          pieces.push([last, isCode]);
          break;
        }
      }
      pieces.push(["\n", false]);
    };
    const walk = (at, isBlock, isCode) => {
      if (at.nodeType === Node.TEXT_NODE) {
        // Where code begins its lines, the space counts; elsewhere a line begins with a word.
        const said = isBlock ? at.data : at.data.replace(/\s+/g, " ");
        add(isBlock || isInLine() ? said : said.trimStart(), isCode);
        return;
      }
      const name = at.nodeName;
      if (name === "math") {
        add(at.querySelector("annotation")?.textContent || at.textContent);
        return;
      }
      if (name === "BR") add("\n");
      if (/^T[DH]$/.test(name) && isInLine()) add(" | ");
      const isPre = isBlock || name === "PRE";
      for (let child = at.firstChild; child; child = child.nextSibling) walk(child, isPre, isCode || isPre || name === "CODE");
      if (BLOCKS.test(name)) endLine();
    };
    const isBlock = Boolean(node.closest("pre"));
    for (let child = node.firstChild; child; child = child.nextSibling) walk(child, isBlock, isBlock);
    return joinedPieces(pieces);
  };
  const joinedPieces = (pieces) => {
    const all = pieces.map(([text]) => text).join("");
    const text = all.replace(/^\n+/, "").trimEnd();
    const code = [];
    let at = all.replace(/^\n+/, "").length - all.length;
    for (const [piece, isCode] of pieces) {
      if (isCode && code.length && code.at(-1)[1] === at) code.at(-1)[1] += piece.length;
      else if (isCode) code.push([at, at + piece.length]);
      at += piece.length;
    }
    return { text, code };
  };
  const textOf = (node) => read(node).text;

  // Markdown as it is written: code between fences, or from one on.
  const FENCE = /^\s*(`{3,}(?=[^`\n]*$)|~{3,})/;
  const written = (text) => {
    const code = [];
    let open = null; // the fence, and where its code begins
    for (let at = 0; at < text.length; ) {
      const end = text.indexOf("\n", at) + 1 || text.length;
      const line = text.slice(at, end).trimEnd();
      const fence = line.match(FENCE)?.[1];
      if (!open && fence) open = { fence, from: end };
      else if (open && fence?.startsWith(open.fence) && line.trim() === fence) {
        code.push([open.from, at]);
        open = null;
      }
      at = end;
    }
    if (open) code.push([open.from, text.length]);
    return { text, code };
  };
  const show = (place, first, second) => draw(place, written(first), written(second));

  window.truing.diff = { runs: diff, show, textOf };

  // --- d: any two outputs of the question
  const textAt = (position) => {
    const output = document.querySelector(`#question .output[data-output="${position}"]`);
    const exact = output?.querySelector("[data-text]");
    if (exact) return written(exact.textContent);
    const reading = output?.querySelector(".reading");
    return reading ? read(reading) : written("");
  };

  const compare = (dialog) => {
    const [one, other] = dialog.querySelectorAll("select, input[data-side]");
    const differs = draw(dialog.querySelector("[data-diff]"), textAt(one.value), textAt(other.value));
    dialog.querySelector("[data-diff-same]").hidden = differs;
  };

  // The next or the last pair, each two once.
  const step = (dialog, by) => {
    const [one, other] = dialog.querySelectorAll("select");
    if (!one) return;
    const number = one.options.length;
    const all = [];
    for (let left = 0; left < number; left += 1) {
      for (let right = left + 1; right < number; right += 1) all.push([left, right]);
    }
    const now = all.findIndex(([left, right]) => left === one.selectedIndex && right === other.selectedIndex);
    const next = all[(now + by + all.length) % all.length];
    [one.selectedIndex, other.selectedIndex] = next;
    compare(dialog);
  };

  document.addEventListener("click", (event) => {
    const dialog = event.target.closest?.("[data-open='#diff']") && document.getElementById("diff");
    if (dialog) compare(dialog);
  });
  document.addEventListener("input", (event) => {
    const dialog = event.target.closest?.("#diff");
    if (dialog) compare(dialog);
  });
  document.addEventListener("keydown", (event) => {
    const dialog = event.target.closest?.("#diff[open]");
    if (!dialog || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "d") dialog.close();
    else if (event.target.matches("select")) return;
    else if (event.key === "ArrowRight") step(dialog, 1);
    else if (event.key === "ArrowLeft") step(dialog, -1);
    else return;
    event.preventDefault();
  });
})();
