// Ranking: the texts stay where they are; their numbers are put in order on a board.
// The places live in the form's select fields; the board shows them and changes them.
(() => {
  const { t } = window.truing;
  let form = null;
  let selects = [];
  let chosen = -1; // the position of the output that keys move
  let history = []; // positions in the order in which they were placed by keys
  let sharesNext = false;
  let sortables = [];

  // Dragging comes after the page: keys and the numbers' menus work without it.
  const source = new URL("sortable.js", document.currentScript.src);
  let isAsked = false;
  const drag = () => {
    if (isAsked) return;
    isAsked = true;
    const script = document.createElement("script");
    script.src = source;
    script.onload = () => form?.isConnected && show();
    document.head.append(script);
  };

  const ranking = () => form.querySelector("[data-ranking]");
  const mayTie = () => ranking().dataset.ties === "yes";
  const places = () => selects.map((select) => Number(select.value) || 0);
  const isPlaced = (position) => places()[position] > 0;
  const lastPlace = () => Math.max(0, ...places());
  const unplaced = () => selects.map((_, position) => position).filter((at) => !isPlaced(at));

  const write = (next) => {
    // Places without gaps, so that what is shown is what is stored.
    const used = [...new Set(next.filter((place) => place > 0))].sort((a, b) => a - b);
    next.forEach((place, position) => {
      selects[position].value = place > 0 ? String(used.indexOf(place) + 1) : "";
    });
    show();
    window.truing.desk.changed();
  };

  const ordinal = (number) =>
    document.documentElement.lang.startsWith("en")
      ? `${number}${{ 1: "st", 2: "nd", 3: "rd" }[number] || "th"}`
      : `${number}.`;

  const chip = (position) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "chip";
    button.dataset.position = String(position);
    button.textContent = String(position + 1);
    button.setAttribute("aria-label", t("Output {0}", position + 1));
    if (position === chosen) button.classList.add("chip-chosen");
    return button;
  };

  const show = () => {
    const now = places();
    const board = form.querySelector("[data-board]");
    const tray = form.querySelector(".board-tray");
    const rows = selects.map((_, index) => {
      const row = document.createElement("li");
      row.className = "board-place";
      const name = document.createElement("span");
      name.className = "board-ordinal";
      name.textContent = ordinal(index + 1);
      const slot = document.createElement("div");
      slot.className = "board-slot";
      slot.dataset.place = String(index + 1);
      now.forEach((place, position) => {
        if (place === index + 1) slot.append(chip(position));
      });
      row.append(name, slot);
      return row;
    });
    const focused = document.activeElement?.matches(".chip") && document.activeElement;
    sortables.forEach((sortable) => sortable.destroy());
    board.replaceChildren(...rows);
    tray.replaceChildren(...unplaced().map(chip));
    if (!window.Sortable) drag();
    const slots = window.Sortable ? [tray, ...board.querySelectorAll(".board-slot")] : [];
    sortables = slots.map(
      // The board is drawn anew after a drop, when the drop is over.
      (slot) =>
        new Sortable(slot, { group: "board", onEnd: (event) => setTimeout(dropped, 0, event) }),
    );
    if (focused) form.querySelector(`.chip[data-position="${focused.dataset.position}"]`)?.focus();
    selects.forEach((select, position) => {
      const output = select.closest(".output");
      output.classList.toggle("output-chosen", position === chosen);
      output.classList.toggle("output-placed", now[position] > 0);
    });
    const hint = form.querySelector("[data-board-hint]");
    const left = unplaced().length;
    if (sharesNext && left) hint.textContent = t("The next one shares the last place.");
    else if (left === 1) hint.textContent = t("Enter puts the last one last.");
    else if (left) hint.textContent = t("{0} to place.", left);
    else hint.textContent = t("All placed. Enter submits.");
  };

  const dropped = (event) => {
    chosen = Number(event.item.dataset.position);
    const next = places();
    next[chosen] = Number(event.to.dataset.place) || 0;
    if (!mayTie() && next[chosen]) {
      // Nobody shares a place: the others below make room.
      next.forEach((place, position) => {
        if (position !== chosen && place >= next[chosen]) next[position] = place + 1;
      });
    }
    history = history.filter((position) => position !== chosen);
    if (next[chosen]) history.push(chosen);
    write(next);
  };

  const put = (position, place) => {
    const next = places();
    next[position] = place;
    history = [...history.filter((item) => item !== position), position];
    chosen = position;
    sharesNext = false;
    write(next);
  };

  const byNumber = (position) => {
    if (position >= selects.length) return false;
    if (isPlaced(position)) choose(position);
    else put(position, sharesNext ? Math.max(1, lastPlace()) : lastPlace() + 1);
    return true;
  };

  const choose = (position, scroll = true) => {
    chosen = position;
    show();
    if (scroll) selects[position].closest(".output").scrollIntoView({ block: "nearest" });
    return true;
  };

  const takeBack = () => {
    const position = history.pop() ?? (isPlaced(chosen) ? chosen : -1);
    if (position < 0) return true;
    sharesNext = false;
    const next = places();
    next[position] = 0;
    chosen = position;
    write(next);
    return true;
  };

  const shareNext = () => {
    if (!mayTie()) return false;
    if (unplaced().length) {
      sharesNext = lastPlace() > 0 && !sharesNext;
      show();
    } else if (chosen >= 0 && places()[chosen] > 1) {
      const next = places();
      next[chosen] -= 1;
      write(next);
    }
    return true;
  };

  const shareRest = () => {
    const left = unplaced();
    if (!mayTie() || !left.length) return false;
    const place = lastPlace() + 1;
    const next = places();
    left.forEach((position) => {
      next[position] = place;
      history.push(position);
    });
    write(next);
    return true;
  };

  // Half a place at a time: out of a shared place into one's own, and from there into the next.
  const move = (step) => {
    if (chosen < 0 || !isPlaced(chosen)) return true;
    const next = places().map((place) => place * 2);
    const isShared = next.filter((place) => place === next[chosen]).length > 1;
    if (isShared) next[chosen] += step;
    else if (mayTie()) next[chosen] += 2 * step;
    else next[chosen] += 3 * step;
    if (next[chosen] < 1) next[chosen] = 1;
    write(next);
    return true;
  };

  const browse = (step) => {
    const last = selects.length - 1;
    const next = chosen < 0 ? (step > 0 ? 0 : last) : chosen + step;
    return choose(Math.max(0, Math.min(last, next)));
  };

  window.truing.desk.types.ranking = {
    start(theForm) {
      form = theForm;
      selects = [...form.querySelectorAll("select[name^=place_]")];
      chosen = -1;
      sharesNext = false;
      history = selects
        .map((_, position) => position)
        .filter(isPlaced)
        .sort((one, other) => places()[one] - places()[other]);
      form.addEventListener("click", (event) => {
        const at = event.target.closest(".chip");
        if (!at) return;
        if (event.detail) at.blur(); // pressed, and not by a key: Enter submits
        byNumber(Number(at.dataset.position));
      });
      selects.forEach((select) => select.addEventListener("input", () => write(places())));
      show();
    },
    verdict() {
      if (form.elements.all_bad?.checked) return t("all bad");
      const now = places();
      const tiers = [];
      now.forEach((place, position) => {
        if (place) (tiers[place - 1] ||= []).push(position + 1);
      });
      return tiers.map((tier) => tier.join(" = ")).join(" > ");
    },
    // Enter with one left puts it last, and asks for Enter again.
    before() {
      const left = unplaced();
      if (form.elements.all_bad?.checked) return true;
      if (left.length !== 1 || selects.length < 2) return true;
      put(left[0], lastPlace() + 1);
      return false;
    },
    key(event) {
      const { key, shiftKey } = event;
      if (/^[1-9]$/.test(key)) return byNumber(Number(key) - 1);
      if (key === "=") return shareNext();
      if (key === "t") return shareRest();
      if (key === "Backspace") return takeBack();
      if (key === "ArrowUp") return shiftKey ? move(-1) : browse(-1);
      if (key === "ArrowDown") return shiftKey ? move(1) : browse(1);
      return false;
    },
  };
})();
