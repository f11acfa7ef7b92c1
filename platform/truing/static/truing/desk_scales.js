// Scales: rows of choices. A digit chooses in the row where one is, and goes on to the next row.
// With data-digits="rows" a digit is a row instead: typed again, its level goes up.
(() => {
  let form = null;
  let current = -1;

  const place = () => form.querySelector("[data-rows]");
  const rows = () => [...place().querySelectorAll("[data-row]")];
  const choices = (row) => [...row.querySelectorAll("input")];
  const isSeveral = (row) => row.hasAttribute("data-several");
  const checked = (row) => choices(row).filter((input) => input.checked);
  const isOpen = (row) => !isSeveral(row) && !checked(row).length;
  const none = () => form.querySelector("[data-none]");

  const said = (input) => input.dispatchEvent(new Event("input", { bubbles: true }));

  const show = (focused) => {
    rows().forEach((row, index) => row.classList.toggle("row-current", index === current));
    const row = rows()[current];
    if (!row || !focused) return;
    const input = focused === true ? checked(row)[0] || choices(row)[0] : focused;
    input.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  };

  const go = (index) => {
    current = Math.max(0, Math.min(rows().length - 1, index));
    show(true);
    return true;
  };

  const nextOpen = () => rows().findIndex((row, index) => index > current && isOpen(row));

  // Boxes are ticked and unticked; of levels one is chosen, and the next row is looked for.
  const choose = (row, input) => {
    if (!input) return false;
    input.checked = isSeveral(row) ? !input.checked : true;
    said(input);
    current = rows().indexOf(row);
    const next = isSeveral(row) ? -1 : nextOpen();
    if (next >= 0) go(next);
    else show(input);
    return true;
  };

  // The row's level one up, and after the highest back to none.
  const raise = (row) => {
    if (!row) return false;
    const inputs = choices(row);
    const at = inputs.findIndex((input) => input.checked);
    const input = inputs[(Math.max(0, at) + 1) % inputs.length];
    input.checked = true;
    said(input);
    current = rows().indexOf(row);
    show(input);
    return true;
  };

  const byDigit = (digit) => {
    if (place().dataset.digits === "rows") return raise(rows()[digit - 1]);
    const row = rows()[Math.max(0, current)];
    return Boolean(row) && choose(row, choices(row)[digit - 1]);
  };

  const along = (step) => {
    const row = rows()[Math.max(0, current)];
    if (!row) return false;
    const inputs = choices(row);
    const ahead = getComputedStyle(row).direction === "rtl" ? -step : step;
    const at = inputs.findIndex((input) =>
      isSeveral(row) ? input === document.activeElement : input.checked,
    );
    const next = at < 0 ? (ahead > 0 ? 0 : inputs.length - 1) : at + ahead;
    const input = inputs[Math.max(0, Math.min(inputs.length - 1, next))];
    if (!isSeveral(row)) {
      input.checked = true;
      said(input);
    }
    current = rows().indexOf(row);
    show(input);
    return true;
  };

  const empty = () => {
    const row = rows()[current];
    if (!row || !checked(row).length) return true;
    for (const input of checked(row)) input.checked = false;
    said(choices(row)[0]);
    show(true);
    return true;
  };

  const toFlags = () => {
    const output = rows()[Math.max(0, current)]?.closest("[data-output]");
    const flags = output?.querySelector("[data-several]");
    return flags ? go(rows().indexOf(flags)) : false;
  };

  // "Nothing of all this" and something of it exclude each other.
  const onlyOne = (event) => {
    if (!none()) return;
    if (event.target === none() && none().checked) {
      for (const row of rows()) {
        for (const input of choices(row)) input.checked = !isSeveral(row) && input.value === "0";
      }
    } else if (event.target.closest("[data-row]")) {
      const some = rows().some((row) => checked(row).some((input) => input.value !== "0"));
      if (some) none().checked = false;
    }
  };

  const scales = {
    start(theForm) {
      form = theForm;
      current = rows().findIndex(isOpen);
      if (current < 0) current = 0;
      form.addEventListener("input", onlyOne);
      form.addEventListener("focusin", (event) => {
        const row = event.target.closest("[data-row]");
        if (!row) return;
        current = rows().indexOf(row);
        show();
      });
      show();
    },
    left: () => rows().filter(isOpen).length,
    verdict() {
      const left = place().dataset.digits === "rows" ? 0 : scales.left();
      return left ? window.truing.t("{0} left", left) : "";
    },
    key(event) {
      const { key } = event;
      if (/^[1-9]$/.test(key)) return byDigit(Number(key));
      if (key === "0" && !none()) return byDigit(10);
      if (key === "ArrowUp") return go(current - 1);
      if (key === "ArrowDown") return go(current + 1);
      if (key === "ArrowLeft") return along(-1);
      if (key === "ArrowRight") return along(1);
      if (key === "Backspace") return empty();
      if (key === "f") return toFlags();
      if (key === "w" && form.elements.text) {
        form.elements.text.focus();
        return true;
      }
      return false;
    },
  };

  window.truing.desk.scales = scales;
  for (const name of ["rating", "moderation", "classify", "critique"]) {
    window.truing.desk.types[name] = scales;
  }
})();
